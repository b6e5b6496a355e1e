import { decodeStruct, encodeStruct, type JsonObject, PluginRequest, Struct } from "@orchestrator/protocol";
import { TOOL_CALL } from "../envelope.ts";
import { type Pair, type Suite, type SuiteContext, summarize } from "../suite.ts";

/** What tools take and give: the arguments of one call, a word or two, a long list, text that is not English. */
const FIXTURES: Readonly<Record<string, JsonObject>> = {
  "tool-arguments": argumentsOf(TOOL_CALL),
  small: { id: "FEAT-ABC", force: true },
  large: {
    items: Array.from({ length: 200 }, (_, index) => ({
      id: `FEAT-${index}`,
      title: `Login page with single sign-on, part ${index}`,
      status: "open",
      estimate: index,
      labels: ["auth", "web"],
      done: index % 2 === 0,
    })),
    total: 200,
    next: null,
  },
  unicode: {
    title: "Größe der Übersicht",
    body: "Wer die Seite nicht sehen darf, erfährt es – und zwar höflich. ".repeat(4),
  },
};

/** Our own conversion between JSON and Struct beside the generated one, which copies its result out just as ours does. */
export const structSuite: Suite = {
  name: "struct",
  async run(context) {
    return Object.entries(FIXTURES).flatMap(([name, object]) => {
      const bytes = encodeStruct(object);
      const label = `${name}-${bytes.length}B`;
      return [
        side(`encodeStruct/${label}`, context, {
          ours: () => encodeStruct(object),
          peer: () => Struct.encode({ fields: object }).finish(),
        }),
        side(`encodeStruct+pool/${label}`, context, {
          ours: () => encodeStruct(object, POOLED),
          peer: () => Struct.encode({ fields: object }).finish(),
        }),
        side(`decodeStruct/${label}`, context, {
          ours: () => decodeStruct(bytes),
          peer: () => Struct.decode(bytes).fields,
        }),
      ];
    });
  },
};

const POOLED = { allocate: Buffer.allocUnsafe };

interface Sides {
  readonly ours: () => unknown;
  readonly peer: () => unknown;
}

function side(name: string, { rounds, scale, progress }: SuiteContext, { ours, peer }: Sides) {
  const ms = Math.max(20, 200 * scale);
  for (const run of [ours, peer]) opsPerSecond(ms, run);
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds; round += 1) {
    progress(`${name} round ${round + 1} of ${rounds}`);
    pairs.push({ ours: opsPerSecond(ms, ours), peer: opsPerSecond(ms, peer) });
  }
  return summarize(name, "ops/s", "ts-proto", pairs);
}

/** Keeps a result of every batch, so that no run can be found to be without effect. */
let kept: unknown;

function opsPerSecond(ms: number, run: () => unknown): number {
  const began = performance.now();
  let count = 0;
  let elapsed = 0;
  do {
    for (let i = 0; i < 20; i += 1) kept = run();
    count += 20;
    elapsed = performance.now() - began;
  } while (elapsed < ms);
  if (kept === undefined) throw new Error("The operation gave nothing");
  return count / (elapsed / 1_000);
}

function argumentsOf(bytes: Uint8Array): JsonObject {
  const { request } = PluginRequest.decode(bytes);
  if (request?.$case !== "toolCall" || request.value.arguments === undefined) throw new Error("Not a tool call");
  return request.value.arguments;
}
