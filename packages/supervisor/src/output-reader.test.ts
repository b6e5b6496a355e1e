import { expect, it } from "vitest";
import { PluginProcess } from "./index.ts";

it.each(["stderr", "stdout"])(
  "leaves others their turn with a plugin that writes as fast as it can to %s, and loses nothing",
  {
    timeout: 60_000,
  },
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
      expect(await plugin.ready(20_000, new AbortController().signal)).toBe("127.0.0.1:1");
      await expect.poll(() => seen).toBe(lines);
      expect(inTurn.most).toBeLessThan(3_000);
    } finally {
      clearInterval(turn);
      await plugin.end(100);
    }
  },
);
