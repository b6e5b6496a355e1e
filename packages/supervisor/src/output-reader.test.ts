import { PassThrough } from "node:stream";
import { expect, it, onTestFinished, vi } from "vitest";
import { PluginProcess } from "./index.ts";
import { OutputReader } from "./output-reader.ts";

it.each(["stderr", "stdout"])(
  "leaves others their turn with a plugin that writes as fast as it can to %s, and loses nothing",
  async (stream) => {
    const lines = 12_000;
    const inTurn = { now: 0, most: 0 };
    let seen = 0;
    const redirect = stream === "stderr" ? ">&2" : "";
    const turn = setInterval(() => {
      inTurn.now = 0;
    }, 0);
    const plugin = await PluginProcess.launch({
      id: "flood",
      // A pipe full of them is 65 536 lines; a plugin that begins with them is ready all the same.
      command: ["sh", "-c", `yes "" | head -n ${lines} ${redirect}; echo "READY 127.0.0.1:1" >&2; sleep 1000`],
      cwd: "/",
      env: { PATH: process.env["PATH"] ?? "" },
      onLine: (line) => {
        // About what a line costs a hub that logs it.
        for (const until = performance.now() + 0.01; performance.now() < until; );
        inTurn.now += 1;
        inTurn.most = Math.max(inTurn.most, inTurn.now);
        if (line === "") seen += 1;
      },
    });
    try {
      expect(await plugin.ready(60_000, new AbortController().signal)).toBe("127.0.0.1:1");
      await expect.poll(() => seen).toBe(lines);
      expect(inTurn.most).toBeLessThan(3_000);
    } finally {
      clearInterval(turn);
      await plugin.end(100);
    }
  },
);

it("does not have a plugin wait for long because the hub itself was held up in the middle of a line", async () => {
  let now = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  const stream = new PassThrough();
  const lines: string[] = [];
  const { ended } = new OutputReader(stream, (line) => {
    lines.push(line);
    // As if the machine had slept for an hour.
    now += 3_600_000;
  });
  stream.write("one\n");
  stream.end("two\n");
  await ended;
  expect(lines).toEqual(["one", "two"]);
});
