import type { SuiteResult } from "../result-file.ts";
import { formatNumber } from "../table.ts";

/** What a figure should reach, and what is known of why it may not. */
export interface Target {
  readonly what: string;
  /** Name of a result. */
  readonly name: string;
  readonly of: "ratio" | "ours";
  readonly atLeast?: number;
  readonly atMost?: number;
  /** Said where it is not reached. */
  readonly holds: string;
}

const RELAY_COST =
  "Without the collection of garbage, which was the most of it, a third is the kernel's copying and waking and the rest is spread thin: two frames read, checked, rewritten and written";
const CHECKS =
  "Every field of the envelope is checked, also that its texts are UTF-8, which is half of it; and a copy of 600 bytes is there in any case";

export const TARGETS: readonly Target[] = [
  {
    what: "fd → hub → fd, calls/s at 64 in flight, over the gRPC relay",
    name: "call/fd-hub-fd/64",
    of: "ratio",
    atLeast: 60,
    holds: RELAY_COST,
  },
  {
    what: "fd → hub → fd, time of a single call, below the gRPC relay's",
    name: "call/fd-hub-fd/1",
    of: "ratio",
    atLeast: 3,
    holds: "Three processes on two cores: the scheduler's wake-ups are the figure",
  },
  {
    what: "hub CPU per call on fd links",
    name: "cpu/fd-hub-fd/64",
    of: "ours",
    atMost: 3,
    holds: RELAY_COST,
  },
  {
    what: "QUIC → hub → QUIC, calls/s at 64 in flight, over the gRPC relay",
    name: "call/quic-hub-quic/64",
    of: "ratio",
    atLeast: 5,
    holds: "Each datagram is a system call and a call into the QUIC engine: four of each per call in the hub",
  },
  {
    what: "peek and splice over decode and encode",
    name: "splice/616B-stamped",
    of: "ratio",
    atLeast: 50,
    holds: CHECKS,
  },
  {
    what: "200 plugins × 50 tools in the tables cost nothing per call",
    name: "route-call/200x50",
    of: "ratio",
    atLeast: 0.9,
    holds: "The names of more tools fill more of the processor's caches",
  },
  {
    what: "16 MiB echo over the gRPC relay",
    name: "bulk/fd-hub-fd/16MiB",
    of: "ratio",
    atLeast: 1,
    holds: "The hub puts a message together from its pieces before it passes it on",
  },
  {
    what: "16 MiB echo, both directions together",
    name: "bulk/fd-hub-fd/16MiB",
    of: "ours",
    atLeast: 300,
    holds:
      "The hub puts a message together from its pieces before it passes it on: each byte is copied twice in each process",
  },
  {
    what: "stdio → hub → features → hub → storage, one call at a time",
    name: "get_feature/stdio-unix-hub-fd",
    of: "ours",
    atMost: 400,
    holds:
      "Four processes and nine hops on two cores, a file that is read, and a protobuf Struct each way in each plugin",
  },
  {
    what: "requests to a plugin on a Unix socket, 64 under way",
    name: "request/unix-hub-json/64",
    of: "ours",
    atLeast: 50_000,
    holds: "Caller, hub and plugin share two cores, and each of them reads and writes the request as JSON or protobuf",
  },
  {
    what: "durable writes of entries by 1 024 writers at once, over `node:sqlite` with as large transactions",
    name: "set/1024-writers",
    of: "ratio",
    atLeast: 0.8,
    holds: "What is left is packing the writes for the thread that waits for the disk, and handing out their answers",
  },
  {
    what: "the same by 64 writers",
    name: "set/64-writers",
    of: "ratio",
    atLeast: 0.8,
    holds: "As for one writer, and the answers are handed out while the disk has nothing to do",
  },
  {
    what: "the same by one writer",
    name: "set/1-writers",
    of: "ratio",
    atLeast: 0.8,
    holds:
      "A thread of its own waits for the disk, so that nobody else does, and waking it and being woken takes half as long as this disk. On one that takes a millisecond it hardly counts",
  },
  {
    what: "reads of an entry, over `node:sqlite`",
    name: "get/100B",
    of: "ratio",
    atLeast: 0.8,
    holds: "It is one statement, as there",
  },
  {
    what: "a healthy plugin's p99 beside plugins that crash, hang, answer garbage and flood, over its quiet p99: 40 such calls a second",
    name: "p99/healthy-beside-40-faults/s",
    of: "ratio",
    atLeast: 0.5,
    holds: "Two cores, which the processes of the faulty calls share with those of the healthy ones",
  },
  {
    what: "the same, 400 such calls a second",
    name: "p99/healthy-beside-400-faults/s",
    of: "ratio",
    atLeast: 0.5,
    holds:
      "Two cores: the processes of the faulty calls run for some twentieth of the time, so more than one call in a hundred meets one and waits for its turn. With these plugins on a hub of their own it is the same, see `p99/one-hub-for-400-faults/s`",
  },
];

/** One line of a Markdown table. */
export function targetRow(target: Target, results: readonly SuiteResult[]): string {
  const { what, name, of, atLeast, atMost, holds } = target;
  const result = results.find((one) => one.name === name);
  const wanted = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
  if (result === undefined) return `| ${what} | ${wanted} | not measured | |`;
  const value = result[of];
  const unit = of === "ratio" ? "×" : ` ${result.unit}`;
  const isReached = atLeast === undefined ? value <= atMost! : value >= atLeast;
  return `| ${what} | ${wanted}${unit} | ${formatNumber(value)}${unit} | ${isReached ? "reached" : `**not reached.** ${holds}`} |`;
}
