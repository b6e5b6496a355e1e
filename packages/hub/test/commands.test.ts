import { expect, it } from "vitest";
import { Site, service } from "./supervision.ts";

const steps = process.env["ORCHESTRATOR_SOAK"] === "full" ? 600 : 40;
const seed = Number(process.env["ORCHESTRATOR_SEED"] ?? Date.now() % 1_000_000);

/** Numbers from 0 to 1, the same for the same seed. */
function random(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

it(`any commands, kills and calls at once: every call is answered, and at the end all is as it was asked for (seed ${seed})`, {
  timeout: 60_000 + steps * 1_000,
}, async () => {
  const next = random(seed);
  const ids = ["a", "b", "c"];
  await using site = await Site.open({
    plugins: [
      service("a"),
      service("b", { activation: "lazy", idle_stop_ms: 60 }),
      service("c", { restart_mode: "in_place", depends_on: ["a"], restart_with_dependencies: true }),
    ],
    restart: { maxCrashes: 5, delaysMs: [5, 20] },
    shutdownMs: 500,
  });
  const pids = new Set<number>();
  const enabled = new Map(ids.map((id) => [id, true]));
  const pending: Promise<unknown>[] = [];
  for (let step = 0; step < steps; step += 1) {
    const id = ids[Math.floor(next() * ids.length)]!;
    const { pid } = site.supervised(id);
    if (pid > 0) pids.add(pid);
    const what = Math.floor(next() * 10);
    if (what === 0 && pid > 0) process.kill(pid, "SIGKILL");
    else if (what === 1) {
      const on = next() < 0.7;
      enabled.set(id, on);
      pending.push(site.control({ $case: "enable", value: { plugin: id, enabled: on } }));
    } else if (what <= 4) {
      const $case = (["restart", "upgrade", "reset"] as const)[what - 2]!;
      // What cannot be done in that state is refused with a reason.
      pending.push(
        site.control({ $case, value: { plugin: id } }).catch((error: Error) => expect(error.message).not.toBe("")),
      );
    } else {
      const call = site.call(`${id}_${next() < 0.5 ? "who" : "slow"}`, { ms: 20 }, 60_000);
      pending.push(call.then(({ errorCode }) => expect(errorCode).not.toBe("deadline_exceeded")));
    }
    if (next() < 0.4) await new Promise((resolve) => setTimeout(resolve, next() * 120));
  }
  await Promise.all(pending);
  // One of them serves in any case.
  enabled.set("a", true);
  for (const id of ids) {
    await site.control({ $case: "enable", value: { plugin: id, enabled: enabled.get(id)! } });
    if (!enabled.get(id)) {
      expect(site.supervised(id).pid).toBe(0);
      continue;
    }
    const serves = async () => {
      // The end of a process that was killed may become known only now.
      if (site.supervised(id).state.name === "failed") await site.control({ $case: "reset", value: { plugin: id } });
      return (await site.call(`${id}_who`)).errorMessage;
    };
    await expect.poll(serves).toBe("");
  }
  const serving = ids.map((id) => site.supervised(id).pid);
  await expect.poll(() => [...pids].filter((pid) => !serving.includes(pid) && exists(pid))).toEqual([]);
  for (const id of ids) expect(site.entry(id).inFlight.calls).toBe(0);
});

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
