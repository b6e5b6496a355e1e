import { expect, it } from "vitest";
import type { Port } from "../port.ts";
import { Handover } from "./handover.ts";

const port = () => ({}) as Port;

it("does what a new instance asks for when it serves, and no longer what the old one does", () => {
  const handover = new Handover();
  const [old, fresh] = [port(), port()];
  const done: string[] = [];
  expect(handover.defers(old, () => done.push("old"), 1)).toBe(false);
  handover.begin(fresh);
  expect(handover.defers(fresh, () => done.push("first"), 1)).toBe(true);
  const broken = () => {
    throw new Error("no");
  };
  expect(handover.defers(fresh, broken, 1)).toBe(true);
  expect(handover.defers(fresh, () => done.push("second"), 1)).toBe(true);
  expect(done).toEqual([]);
  handover.leave(old);
  handover.serve(fresh);
  expect(done).toEqual(["first", "second"]);
  expect(handover.defers(fresh, () => {}, 1)).toBe(false);
  expect(handover.defers(old, () => done.push("late"), 1)).toBe(true);
  expect(done).toHaveLength(2);
});

it("holds a bounded number of wishes, and of bytes, for an instance that does not serve", () => {
  const handover = new Handover();
  const [many, large] = [port(), port()];
  handover.begin(many);
  for (let n = 0; n < 1_100; n += 1) handover.defers(many, () => {}, 1);
  expect(() => handover.defers(many, () => {}, 1)).toThrow("asked for too much");
  handover.begin(large);
  for (let n = 0; n < 8; n += 1) handover.defers(large, () => {}, 1024 * 1024);
  expect(() => handover.defers(large, () => {}, 1)).toThrow("asked for too much");
});
