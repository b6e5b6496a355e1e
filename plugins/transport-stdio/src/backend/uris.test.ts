import { ErrorCode, HubError } from "@orchestrator/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toPath, toUri } from "./uris.ts";

describe("resource URIs", () => {
  it.each([
    ["app/features/FEAT-ABC.md", "orchestra://app/features/FEAT-ABC"],
    ["features/FEAT-ABC.md", "orchestra://features/FEAT-ABC"],
    ["README.md", "orchestra://README"],
    ["my app/docs/ü & ä.md", "orchestra://my%20app/docs/%C3%BC%20%26%20%C3%A4"],
    ["a/100%.md", "orchestra://a/100%25"],
  ])("name %s as %s", (path, uri) => {
    expect(toUri(path)).toBe(uri);
    expect(toPath(uri)).toBe(path);
  });

  it("take the scheme in any case", () => {
    expect(toPath("Orchestra://a/b")).toBe("a/b.md");
  });

  it.each([
    ["nothing", ""],
    ["another scheme", "file:///etc/passwd"],
    ["no name", "orchestra://"],
    ["one slash", "orchestra:/a"],
    ["an empty part", "orchestra://a//b"],
    ["an empty last part", "orchestra://a/"],
    ["a way up", "orchestra://a/../b"],
    ["a hidden way up", "orchestra://a/%2e%2e/b"],
    ["a dot", "orchestra://a/."],
    ["a hidden slash", "orchestra://a/b%2Fc"],
    ["a hidden backslash", "orchestra://a/b%5Cc"],
    ["a zero byte", "orchestra://a/%00"],
    ["a line break", "orchestra://a/b%0A"],
    ["a query", "orchestra://a/b?c"],
    ["a fragment", "orchestra://a/b#c"],
    ["a user", "orchestra://me@a/b"],
    ["a port", "orchestra://a:80/b"],
    ["a space", "orchestra://a/b c"],
    ["bytes that are no text", "orchestra://a/%FF"],
    ["half an escape", "orchestra://a/%2"],
    ["too much", `orchestra://${"a".repeat(5000)}`],
  ])("refuse %s", (_what, uri) => {
    let error: unknown;
    try {
      toPath(uri);
    } catch (reason) {
      error = reason;
    }
    expect(error).toBeInstanceOf(HubError);
    expect((error as HubError).code).toBe(ErrorCode.InvalidArgument);
    expect((error as HubError).message.length).toBeLessThan(6000);
  });

  it("lead back to the path that they were made of", () => {
    const name = fc
      .string({ minLength: 1, unit: "grapheme" })
      .filter((text) => !/[\u0000-\u001f\u007f/\\]/.test(text) && text !== "." && text !== "..");
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (parts) => {
        const path = `${parts.join("/")}.md`;
        expect(toPath(toUri(path))).toBe(path);
      }),
    );
  });

  it("are never read as a way out, whatever they are", () => {
    const part = fc.oneof(
      fc.constantFrom("..", ".", "/", "%2e", "%2F", "%5c", "\\", "a", "%"),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const text = parts.join("");
        let path: string;
        try {
          path = toPath(`orchestra://${text}`);
        } catch (reason) {
          expect(reason).toBeInstanceOf(HubError);
          return;
        }
        expect(path.split("/")).not.toContain("..");
        expect(path.startsWith("/")).toBe(false);
      }),
    );
  });
});
