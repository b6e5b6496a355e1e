import { describe, expect, it } from "vitest";
import { Plant, TestAttachment } from "../test/plant.ts";
import { type Attachment, HealthCheck, type HealthPolicy, type HealthReport, Rounds } from "./index.ts";

const POLICY: HealthPolicy = { intervalMs: 5_000, timeoutMs: 5_000, failures: 3, restart: true, busyMs: 30_000 };
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A check whose rounds are run by hand: round n is at n × 5 s. */
function checked(policy: Partial<HealthPolicy> = {}) {
  const attachment = new TestAttachment(undefined as never);
  attachment.report = undefined;
  const changes: string[] = [];
  const deaths: string[] = [];
  const check = new HealthCheck(
    attachment as Attachment,
    { ...POLICY, ...policy },
    {
      changed: ({ status }, previous) => changes.push(`${previous.status} → ${status}`),
      silent: (error) => deaths.push(error.message),
    },
  );
  let now = performance.now();
  const round = async (count = 1) => {
    for (let n = 0; n < count; n += 1) {
      now += 5_000;
      check.run(now);
      await settled();
    }
  };
  return { attachment, check, changes, deaths, round };
}

const GOOD: HealthReport = { status: "healthy", message: "ok" };

describe("HealthCheck", () => {
  it("asks, and keeps what the plugin says", async () => {
    const { attachment, check, changes, round } = checked();
    attachment.report = GOOD;
    await round();
    expect(check.health).toEqual(GOOD);
    attachment.report = { status: "degraded", message: "slow disk" };
    await round();
    expect(check.health).toEqual({ status: "degraded", message: "slow disk" });
    attachment.report = { status: "unhealthy", message: "no disk" };
    await round(20);
    attachment.report = GOOD;
    await round();
    expect(changes).toEqual(["unknown → healthy", "healthy → degraded", "degraded → unhealthy", "unhealthy → healthy"]);
  });

  it("lets one miss and two pass, and gives up at the third", async () => {
    const { attachment, check, changes, deaths, round } = checked();
    await round(3);
    expect([attachment.pings.length, check.health.status, deaths.length]).toEqual([1, "unknown", 0]);
    await round();
    expect(changes).toEqual(["unknown → unhealthy"]);
    expect(deaths[0]).toContain("3 checks in a row were not answered");
    await round(3);
    expect(deaths).toHaveLength(1);
  });

  it("takes a late answer for an answer, and starts counting anew", async () => {
    const { attachment, check, deaths, round } = checked();
    await round(3);
    attachment.answer(GOOD);
    await settled();
    expect(check.health).toEqual(GOOD);
    await round(3);
    expect(deaths).toEqual([]);
    expect(attachment.pings).toHaveLength(2);
  });

  it("takes everything that is heard for a sign of life, and does not ask one that was just heard", async () => {
    const { attachment, deaths, round } = checked();
    for (let n = 0; n < 30; n += 1) {
      attachment.heard += 1;
      await round();
    }
    // Nothing was answered, and yet it lives; its opinion was asked for once.
    expect([attachment.pings.length, deaths.length]).toEqual([1, 0]);
  });

  it("asks one that is heard all the time how it does, every sixth round and no oftener", async () => {
    const { attachment, check, round } = checked();
    attachment.report = GOOD;
    for (let n = 0; n < 30; n += 1) {
      attachment.heard += 1;
      await round();
    }
    expect([attachment.pings.length, check.health.status]).toEqual([5, "healthy"]);
  });

  it("waits longer for one that has work, but not for ever", async () => {
    const { attachment, check, deaths, round } = checked({ busyMs: 40_000 });
    attachment.inFlight = 2;
    await round(7);
    expect([check.health.status, deaths.length]).toEqual(["unhealthy", 0]);
    await round(2);
    expect(deaths).toHaveLength(1);
  });

  it("only tells where a restart is not wanted, and when the plugin is back", async () => {
    const { attachment, changes, deaths, round } = checked({ restart: false });
    await round(10);
    attachment.answer(GOOD);
    await settled();
    expect(deaths).toEqual([]);
    expect(changes).toEqual(["unknown → unhealthy", "unhealthy → unknown", "unknown → healthy"]);
  });

  it("blames nobody for a pause of the hub itself", async () => {
    const { check, deaths, attachment } = checked();
    let now = performance.now();
    for (const pause of [5_000, 60_000, 60_000, 60_000, 60_000]) {
      now += pause;
      check.run(now);
    }
    await settled();
    expect([attachment.pings.length, deaths.length]).toEqual([1, 0]);
  });
});

describe("a plugin under watch", () => {
  const health = { intervalMs: 10, timeoutMs: 10, failures: 3 };

  it("that hangs is told of, ended and started again", async () => {
    await using plant = new Plant({
      rounds: new Rounds(),
      health,
      prepare: (attachment, start) => {
        if (start === 1) attachment.report = undefined;
      },
    });
    await plant.plugin.start();
    await expect.poll(() => plant.plugin.starts === 2 && plant.plugin.state.name).toBe("ready");
    expect(plant.eventTypes.slice(0, 4)).toEqual(["started", "ready", "unhealthy", "crashed"]);
    expect(plant.details("crashed")?.["reason"]).toContain("checks in a row were not answered");
    await expect.poll(() => plant.plugin.health.status).toBe("healthy");
    expect(plant.alive).toEqual([plant.plugin.pid]);
  });

  it("that is stopped is no longer asked", async () => {
    await using plant = new Plant({ rounds: new Rounds(), health });
    await plant.plugin.start();
    await expect.poll(() => plant.plugin.health.status).toBe("healthy");
    await plant.plugin.stop();
    const asked = plant.attachments[0]!.pings.length;
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(plant.attachments[0]!.pings.length).toBe(asked);
    expect(plant.plugin.health.status).toBe("unknown");
  });

  it("that has nothing to do is stopped, and woken by whoever needs it; many at once wake it once", async () => {
    const work = { isBusy: true, total: 0 };
    await using plant = new Plant({ rounds: new Rounds(), idleStopMs: 40, activity: () => work });
    await plant.plugin.start();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(plant.plugin.state.name).toBe("ready");
    work.isBusy = false;
    await plant.plugin.reached("draining");
    const woken = await Promise.all(Array.from({ length: 50 }, () => plant.plugin.wake("a call")));
    expect(new Set(woken.map(({ name }) => name))).toEqual(new Set(["ready"]));
    expect(plant.pids).toHaveLength(2);
    expect(plant.details("stopped")).toEqual({ reason: "idle for 40 ms" });
  });
});

describe("Rounds", () => {
  it("wakes once for all of one interval, and not at all for nothing", async () => {
    const rounds = new Rounds();
    const at: number[][] = [[], [], []];
    const ends = at.map((times) => rounds.add({ intervalMs: 20, run: (now) => times.push(now) }));
    await expect.poll(() => Math.min(...at.map((times) => times.length))).toBeGreaterThan(3);
    for (const end of ends) end();
    // The first of them may have had a round before the others were there.
    expect(at[1]).toEqual(at[0]!.slice(-at[1]!.length));
    expect(at[2]).toEqual(at[0]!.slice(-at[2]!.length));
    const counts = at.map((times) => times.length);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(at.map((times) => times.length)).toEqual(counts);
  });

  it("takes a shorter interval that comes later", async () => {
    const rounds = new Rounds();
    const endLong = rounds.add({ intervalMs: 3_600_000, run: () => {} });
    const runs: number[] = [];
    const endShort = rounds.add({ intervalMs: 5, run: () => void runs.push(1) });
    await expect.poll(() => runs.length).toBeGreaterThan(2);
    endLong();
    endShort();
  });
});
