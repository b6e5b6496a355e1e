import { expect, it } from "vitest";
import { Slots } from "./slots.ts";

it("lets so many work at a time, the others in order", async () => {
  const slots = new Slots(2);
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const begun: number[] = [];
  const work = gates.map(({ promise }, n) =>
    slots.run(async () => {
      begun.push(n);
      await promise;
      if (n === 1) throw new Error("broken");
      return n;
    }, 60_000),
  );
  await expect.poll(() => begun).toEqual([0, 1]);
  gates[1]!.resolve();
  await expect(work[1]).rejects.toThrow("broken");
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  for (const gate of gates) gate.resolve();
  expect(await Promise.all([work[0], work[2], work[3], work[4]])).toEqual([0, 2, 3, 4]);
});

it("gives the slot of one that hangs to the next", async () => {
  const slots = new Slots(1);
  const hanging = Promise.withResolvers<void>();
  const first = slots.run(() => hanging.promise, 5);
  expect(await slots.run(async () => "went on", 60_000)).toBe("went on");
  hanging.resolve();
  await first;
  // Its end gives back nothing a second time.
  const gate = Promise.withResolvers<void>();
  const begun: string[] = [];
  const work = ["a", "b"].map((name) =>
    slots.run(async () => {
      begun.push(name);
      await gate.promise;
    }, 60_000),
  );
  await expect.poll(() => begun).toEqual(["a"]);
  gate.resolve();
  await Promise.all(work);
});
