import { Duplex } from "node:stream";

/** Two joined streams: what one writes, the other reads, cut anywhere and after any number of turns of the event loop. */
export function slowPair(seed: number): [Duplex, Duplex] {
  let state = seed | 0;
  const random = (below: number) => {
    // A linear congruential generator: the same seed gives the same run.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) % below;
  };
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => deliver(other(), chunk, random, done),
      final: (done) => {
        other().push(null);
        done();
      },
    });
  const a: Duplex = make(() => b);
  const b: Duplex = make(() => a);
  return [a, b];
}

function deliver(to: Duplex, bytes: Buffer, random: (below: number) => number, done: () => void): void {
  let at = 0;
  const step = () => {
    const most = random(3) === 0 ? 10 : 40_000;
    const end = Math.min(bytes.length, at + 1 + random(most));
    to.push(Buffer.from(bytes.subarray(at, end)));
    at = end;
    if (at === bytes.length) done();
    else later(step, random(3));
  };
  later(step, random(3));
}

function later(action: () => void, turns: number): void {
  if (turns === 0) action();
  else setImmediate(() => later(action, turns - 1));
}
