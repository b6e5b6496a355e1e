import { describe, expect, it } from "vitest";
import { KeyedMutex } from "./mutex.ts";

const never = new AbortController().signal;

describe("KeyedMutex", () => {
  it("runs tasks of one key in the order in which they came, and others beside them", async () => {
    const mutex = new KeyedMutex();
    const seen: string[] = [];
    const first = Promise.withResolvers<void>();
    const one = mutex.run("a", never, async () => {
      seen.push("a1 begins");
      await first.promise;
      seen.push("a1 ends");
    });
    const two = mutex.run("a", never, async () => void seen.push("a2"));
    await mutex.run("b", never, async () => void seen.push("b"));
    first.resolve();
    await Promise.all([one, two]);
    expect(seen).toEqual(["a1 begins", "b", "a1 ends", "a2"]);
  });

  it("goes on after a failure", async () => {
    const mutex = new KeyedMutex();
    const failing = mutex.run("a", never, () => Promise.reject(new Error("no")));
    const next = mutex.run("a", never, async () => 7);
    await expect(failing).rejects.toThrow("no");
    expect(await next).toBe(7);
  });

  it("lets a waiting task go when it is cancelled, and keeps the order of the rest", async () => {
    const mutex = new KeyedMutex();
    const first = Promise.withResolvers<void>();
    const cancel = new AbortController();
    const seen: string[] = [];
    const one = mutex.run("a", never, () => first.promise.then(() => void seen.push("one")));
    const two = mutex.run("a", cancel.signal, async () => void seen.push("two"));
    const three = mutex.run("a", never, async () => void seen.push("three"));
    cancel.abort(new Error("cancelled"));
    await expect(two).rejects.toThrow("cancelled");
    expect(seen).toEqual([]);
    first.resolve();
    await Promise.all([one, three]);
    expect(seen).toEqual(["one", "three"]);
  });
});
