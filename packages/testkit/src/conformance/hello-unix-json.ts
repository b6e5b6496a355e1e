/** What every example plugin that listens on a Unix socket does, whatever language it is written in. @module */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive, request, startTestHub, type TestHub } from "@orchestrator/hub/testing";
import type { LinkPeer } from "@orchestrator/transport";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

export interface HelloPlugin {
  /** Its tools and its route begin with it. */
  readonly id: string;
  /** What it calls its language when it says hello. */
  readonly language: string;
  /** One file that can be run by itself. */
  readonly program: string;
  /** Why it cannot be had on this machine. Its tests are skipped then; where everything must be there, they fail. */
  readonly problem: string | undefined;
}

type Headers = { name: string; value: string }[];
type HttpAnswer = { readonly status: number; readonly headers: Headers; readonly text: string };

/** Sends the plugin a request through the hub. */
export type HelloHttp = (path: string, method?: string, body?: string, headers?: Headers) => Promise<HttpAnswer>;

/** @param more tests of what this plugin alone does, with the same hub */
export function testHelloPlugin(plugin: HelloPlugin, more: (http: HelloHttp) => void = () => {}): void {
  const absent = process.env["ORCHESTRATOR_REQUIRE"] === "all" ? undefined : plugin.problem;

  describe(`${plugin.id}, found in a plugin directory`, () => {
    let directory: string;
    let hub: TestHub;
    let operator: LinkPeer;
    beforeAll(async () => {
      if (absent !== undefined) return;
      if (plugin.problem !== undefined) throw new Error(plugin.problem);
      directory = mkdtempSync(join(tmpdir(), "orchestrator-hello-"));
      mkdirSync(join(directory, "plugins"));
      copyFileSync(plugin.program, join(directory, "plugins", "hello.binary"));
      chmodSync(join(directory, "plugins", "hello.binary"), 0o755);
      hub = await startTestHub({ directory, config: { plugin_dirs: ["plugins"] } });
      operator = await hub.connect("orchestrator-operator", undefined, "unix");
    });
    beforeEach((context) => {
      if (absent !== undefined) context.skip(absent);
    });
    afterAll(async () => {
      await hub?.stop();
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
    });

    const http: HelloHttp = async (path, method = "GET", body = "", headers = []) => {
      const value = { route: `/${plugin.id}`, method, path, headers, body: new TextEncoder().encode(body) };
      const { response, error } = await request(operator, { $case: "http", value });
      if (response?.$case !== "http") throw new Error(`answered with ${response?.$case}: ${error?.message}`);
      return { ...response.value, text: new TextDecoder().decode(response.value.body) };
    };
    const kv = async (action: string, args: object) => {
      const toolName = `${plugin.id}_kv_${action}`;
      const value = { toolName, arguments: args, callerPlugin: "", traceParent: "", provider: "", sessionId: "" };
      const { response } = await request(operator, { $case: "toolCall", value });
      if (response?.$case !== "toolCall") throw new Error(`answered with ${response?.$case}`);
      return response.value;
    };

    it("answers, and knows the installation", async () => {
      const { status, headers, text } = await http("/");
      expect(status).toBe(200);
      expect(headers).toMatchObject([{ name: "content-type", value: "application/json" }]);
      expect(JSON.parse(text)).toMatchObject({
        message: expect.stringContaining(plugin.language),
        instance_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
    });

    it.each(["POST", "PATCH"])("sees the request as it was (%s)", async (method) => {
      const { text } = await http("/echo?q=1&r=%20", method, "Zoë 🐍", [{ name: "x-one", value: "1" }]);
      expect(JSON.parse(text)).toEqual({
        method,
        path: "/echo?q=1&r=%20",
        headers: { "x-one": "1" },
        body: "Zoë 🐍",
        query: "q=1&r=%20",
      });
    });

    it("gives a status of its own, and 500 with a reason at once", async () => {
      expect((await http("/nowhere")).status).toBe(404);
      expect(await http("/fail")).toMatchObject({ status: 500, text: expect.stringContaining("asked to fail") });
    });

    it("keeps a store", async () => {
      expect(await kv("get", { key: "a" })).toMatchObject({ success: true, result: { value: null } });
      await kv("set", { key: "a", value: "ä" });
      expect(await kv("get", { key: "a" })).toMatchObject({ success: true, result: { value: "ä" } });
      await kv("delete", { key: "a" });
      expect(await kv("get", { key: "a" })).toMatchObject({ success: true, result: { value: null } });
    });

    it("serves many at once, and large bodies", async () => {
      const bodies = Array.from({ length: 60 }, (_, index) => `${index}`.repeat(index % 10 === 0 ? 100_000 : 1));
      const answers = await Promise.all(bodies.map((body) => http("/echo", "POST", body)));
      expect(answers.every(({ text }, index) => JSON.parse(text).body === bodies[index])).toBe(true);
    });

    more(http);

    it("ends on request", async () => {
      const running = hub.hub.plugins[0]!;
      const { pid } = running.supervised;
      await hub.stop();
      expect(isAlive(pid)).toBe(false);
      const { lines } = await hub.hub.readPluginLog(running.id);
      expect(lines.map(({ message }) => message)).toContain("ends");
    });
  });
}
