import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { matchRoute } from "./http-path.ts";
import { httpStatusOf } from "./http-status.ts";

const routes = ["/a", "/a/b", "/hello"];

describe("matchRoute", () => {
  it.each([
    ["/a", "/a", "/"],
    ["/a/", "/a", "/"],
    ["/a?x=1", "/a", "/?x=1"],
    ["/a/c/d?x=/a/b#frag?", "/a", "/c/d?x=/a/b"],
    ["/a/b/c", "/a/b", "/c"],
    ["/hello/a%2Fb", "/hello", "/a%2Fb"],
    ["/hello/...", "/hello", "/..."],
    ["/hello#x?y", "/hello", "/"],
  ])("%s → %s and %s", (whole, route, path) => {
    expect(matchRoute(routes, whole)).toEqual({ route, path });
  });

  it.each(["/", "/ab", "/b/a", "/A"])("%s has no route", (path) => {
    expect(matchRoute(routes, path)).toBeUndefined();
  });

  it.each(["a", "", "/a/..", "/a/../b", "/a/%2e%2E/b", "/a/./b", "/a\\..\\b", "/.."])("%j is refused", (path) => {
    expect(() => matchRoute(routes, path)).toThrow(expect.objectContaining({ code: ErrorCode.InvalidArgument }));
  });
});

it("every error has a status", () => {
  for (const code of Object.values(ErrorCode)) expect(httpStatusOf(code)).toBeGreaterThanOrEqual(400);
});
