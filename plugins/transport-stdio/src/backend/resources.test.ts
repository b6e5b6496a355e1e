import { ErrorCode, HubError } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { TestClient } from "../../test/client.ts";

describe("resources", () => {
  async function withDocuments() {
    const client = new TestClient();
    client.hub.write("app/project.json", "", { slug: "app" });
    client.hub.write("fresh/project.json", "", { slug: "fresh" });
    client.hub.write("app/features/FEAT-ABC.md", "# Login\n", {
      title: 'Log "in"',
      labels: ["a"],
      status: "done",
      "odd key": 1,
    });
    client.hub.write("app/features/FEAT-DEF.md", "plain");
    client.hub.write("app/plans/PLAN-ABC.md", "# Plan\n");
    client.hub.write("web/features/FEAT-XYZ.md", "");
    client.hub.write("docs/guide.md", "# Guide\n");
    await client.initialize();
    return client;
  }

  it("are the documents of all projects", async () => {
    await using client = await withDocuments();
    const { result } = await client.ask("resources/list");
    expect(result.resources.map((resource: { uri: string }) => resource.uri)).toEqual([
      "orchestra://app/features/FEAT-ABC",
      "orchestra://app/features/FEAT-DEF",
      "orchestra://app/plans/PLAN-ABC",
      "orchestra://docs/guide",
      "orchestra://web/features/FEAT-XYZ",
    ]);
    expect(result.resources[0]).toEqual({
      uri: "orchestra://app/features/FEAT-ABC",
      name: "FEAT-ABC",
      title: "app / features / FEAT-ABC",
      mimeType: "text/markdown",
      size: 8,
      annotations: { lastModified: "2026-01-02T00:00:00.500Z" },
    });
  });

  it("are read with their front matter, also under the short names of old", async () => {
    await using client = await withDocuments();
    const read = async (uri: string) => (await client.ask("resources/read", { uri })).result.contents[0].text;
    expect(await read("orchestra://app/features/FEAT-ABC")).toBe(
      '---\nlabels: ["a"]\n"odd key": 1\nstatus: "done"\ntitle: "Log \\"in\\""\n---\n\n# Login\n',
    );
    expect(await read("orchestra://app/features/FEAT-DEF")).toBe("plain");
    expect(await read("orchestra://docs/guide")).toBe("# Guide\n");
    expect(await read("orchestra://web/features/FEAT-XYZ")).toBe("");
  });

  it("that are no text go out as bytes", async () => {
    await using client = await withDocuments();
    client.hub.documents.set("app/docs/blob.md", { content: new Uint8Array([0xff, 0xfe]) });
    const { result } = await client.ask("resources/read", { uri: "orchestra://app/docs/blob" });
    expect(result.contents).toEqual([
      { uri: "orchestra://app/docs/blob", mimeType: "application/octet-stream", blob: "//4=" },
    ]);
  });

  it.each([false, true])("that are missing are not found (old hub: %s)", async (legacy) => {
    await using client = await withDocuments();
    client.hub.legacy = legacy;
    const uri = "orchestra://app/features/FEAT-NOT";
    expect((await client.ask("resources/read", { uri })).error).toMatchObject({ code: -32002, data: { uri } });
    expect((await client.ask("resources/read", { uri: "orchestra://app/../x" })).error.code).toBe(-32602);
  });

  it("of a storage that is dead are not an empty list", async () => {
    await using client = await withDocuments();
    client.hub.storageError = new HubError(ErrorCode.Unavailable, "The storage is gone");
    const error = { code: -32603, message: "The storage is gone", data: { code: "UNAVAILABLE", retryable: true } };
    expect((await client.ask("resources/list")).error).toEqual(error);
    expect((await client.ask("resources/read", { uri: "orchestra://app/features/FEAT-ABC" })).error).toEqual(error);
  });

  it.each([
    ["orchestra://{project}/features/{id}", "project", {}, ["app", "fresh", "web"]],
    ["orchestra://{project}/features/{id}", "id", {}, ["FEAT-ABC", "FEAT-DEF", "FEAT-XYZ"]],
    ["orchestra://{project}/features/{id}", "id", { project: "app" }, ["FEAT-ABC", "FEAT-DEF"]],
    ["orchestra://{project}/plans/{id}", "id", { project: "web" }, []],
    ["orchestra://{project}/{kind}/{id}", "kind", { project: "app" }, ["features", "plans"]],
    ["orchestra://{project}/{kind}/{id}", "id", { project: "app", kind: "plans" }, ["PLAN-ABC"]],
  ])("complete %s by %s given %j", async (uri, name, resolved, values) => {
    await using client = await withDocuments();
    const { result: templates } = await client.ask("resources/templates/list");
    expect(templates.resourceTemplates.map((template: { uriTemplate: string }) => template.uriTemplate)).toContain(uri);
    const params = {
      ref: { type: "ref/resource", uri },
      argument: { name, value: "" },
      context: { arguments: resolved },
    };
    expect((await client.ask("completion/complete", params)).result.completion.values).toEqual(values);
  });
});
