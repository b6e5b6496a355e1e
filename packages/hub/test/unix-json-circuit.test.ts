import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { PluginDirectory, UnixJsonHub } from "./unix-json-hub.ts";

const circuit = { failures: 3, cool_down_ms: 86_400_000 };

async function start(directory: PluginDirectory, call_timeout_ms = 20_000): Promise<UnixJsonHub> {
  const binary = directory.add("p");
  const plugins = [{ id: "p", binary, dialect: "unix-json", circuit, call_timeout_ms }];
  return await UnixJsonHub.start(directory, { plugins });
}

describe("a plugin on a Unix socket", () => {
  it.each([
    ["/garbage", ErrorCode.Protocol],
    ["/half", ErrorCode.Protocol],
    ["/hang-up", ErrorCode.Unavailable],
    ["/silent", ErrorCode.DeadlineExceeded],
  ])("is not called after so many of %s (%s)", async (path, code) => {
    using directory = new PluginDirectory();
    await using hub = await start(directory, path === "/silent" ? 200 : undefined);
    for (let n = 0; n < 3; n += 1) expect(await hub.outcome("p", path)).toBe(code);
    await expect(hub.http("p", "/")).rejects.toMatchObject({
      code: ErrorCode.Unavailable,
      message: expect.stringContaining("no proper answer to the last 3 calls"),
    });
  });

  it("may answer with whatever status it likes; what cannot be asked is not its fault", async () => {
    using directory = new PluginDirectory();
    await using hub = await start(directory);
    for (let n = 0; n < 5; n += 1) {
      expect(await hub.outcome("p", "/status?504")).toBe(504);
      expect(await hub.outcome("p", "/status?502")).toBe(502);
      expect(await hub.outcome("p", "no path")).toBe(400);
      await expect(hub.kv("p", "get", { key: 1 })).rejects.toMatchObject({ code: ErrorCode.InvalidArgument });
    }
    expect(hub.plugin("p").circuits.of("operator").failures).toBe(0);
  });

  it("that crashes with many calls in its queue comes back with nothing opened", async () => {
    using directory = new PluginDirectory();
    await using hub = await start(directory);
    const { supervised, circuits } = hub.plugin("p");
    const ends = Promise.all(["/crash", ...new Array(30).fill("/")].map((path) => hub.outcome("p", path, 20_000)));
    await supervised.reached("backoff");
    await supervised.reached("ready");
    await ends;
    expect(circuits.of("operator").failures).toBe(0);
    expect(hub.test.hub.log.tail(1_000, "p").filter(({ text }) => text.startsWith("circuit_"))).toEqual([]);
    expect(await hub.outcome("p", "/")).toBe(200);
  });
});
