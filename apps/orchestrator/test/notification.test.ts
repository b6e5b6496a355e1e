import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "@orchestrator/supervisor/internal";
import { describe, expect, it } from "vitest";
import { Scratch } from "./hub.ts";

describe.runIf(process.platform === "linux")(
  "a hub that is killed while it tells of a plugin that was given up",
  () => {
    it("leaves nothing of the command behind", async () => {
      await using scratch = new Scratch();
      const pids = join(scratch.path, "pids");
      // One in its group, one with a session and an environment of its own, and itself.
      const script = `
      sleep 1000 & echo $! >> '${pids}.part'
      env -i setsid /bin/sleep 1000 & echo $! >> '${pids}.part'
      echo $$ >> '${pids}.part'
      mv '${pids}.part' '${pids}'
      wait`;
      const config = {
        plugins: [{ id: "gone", command: ["/bin/false"], restart: "never" }],
        notify: { command: ["/bin/sh", "-c", script], timeout_ms: 60_000 },
      };
      writeFileSync(join(scratch.path, "plugins.yaml"), JSON.stringify(config));
      const hub = await scratch.serve();
      await expect.poll(() => existsSync(pids)).toBe(true);
      const started = readFileSync(pids, "utf8").trim().split("\n").map(Number);
      expect(started.filter(isAlive)).toHaveLength(3);
      hub.child.kill("SIGKILL");
      await expect.poll(() => started.filter(isAlive)).toEqual([]);
    });
  },
);
