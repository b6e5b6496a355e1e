import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { initializeParams, type Message, onAbort, startSession } from "../test/harness.ts";
import { PROTOCOL_VERSIONS } from "./index.ts";

const RUNS = { numRuns: 300 };
const METHODS = [
  "ping",
  "initialize",
  "tools/list",
  "tools/call",
  "prompts/list",
  "prompts/get",
  "resources/list",
  "resources/read",
  "resources/templates/list",
  "completion/complete",
  "logging/setLevel",
  "notifications/initialized",
  "notifications/cancelled",
  "nothing",
];
const NAMES = ["echo", "data", "fails", "waits", "nobody", "__proto__", "review", "debug", "tools~a"];

const loose = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(...NAMES, 0, -1, 2 ** 53));
const params = fc.oneof(
  loose,
  fc.dictionary(
    fc.constantFrom(
      "name",
      "arguments",
      "uri",
      "cursor",
      "ref",
      "argument",
      "level",
      "_meta",
      "requestId",
      "protocolVersion",
      "__proto__",
    ),
    fc.oneof(
      loose,
      fc.constantFrom({ type: "ref/prompt", name: "review" }, { progressToken: 1 }, ...PROTOCOL_VERSIONS),
    ),
  ),
);
const message = fc.record(
  {
    jsonrpc: fc.oneof({ weight: 9, arbitrary: fc.constant("2.0") }, loose),
    id: fc.oneof({ weight: 5, arbitrary: fc.nat(30) }, { weight: 3, arbitrary: fc.string({ maxLength: 2 }) }, loose),
    method: fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...METHODS) }, loose),
    params,
  },
  { requiredKeys: ["jsonrpc"] },
);

/** The shape of everything that may be sent to a client. */
function isAnswerOrNotification(sent: unknown): boolean {
  if (Array.isArray(sent))
    return sent.length > 0 && sent.every((each) => !Array.isArray(each) && isAnswerOrNotification(each));
  const { jsonrpc, id, result, error, method, ...rest } = sent as Message;
  if (jsonrpc !== "2.0") return false;
  if (method !== undefined)
    return id === undefined && typeof method === "string" && Object.keys(rest).every((key) => key === "params");
  if (Object.keys(rest).length > 0) return false;
  if (error === undefined)
    return typeof result === "object" && result !== null && (typeof id === "string" || Number.isInteger(id));
  if (result !== undefined || !(id === null || typeof id === "string" || Number.isInteger(id))) return false;
  return Number.isInteger(error.code) && typeof error.message === "string" && error.message !== "";
}

const key = (id: unknown) => `${typeof id} ${String(id)}`;
const flush = () => new Promise((resolve) => setImmediate(resolve));

describe("whatever a client sends", () => {
  it("is answered by well-formed messages or not at all", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.option(fc.constantFrom(...PROTOCOL_VERSIONS)),
        fc.array(
          fc.oneof(
            fc.string(),
            fc.json(),
            fc.array(message).map((x) => JSON.stringify(x)),
            message.map((x) => JSON.stringify(x)),
          ),
        ),
        async (version, texts) => {
          const { session, sent } = startSession(version ?? undefined);
          for (const text of texts) session.receive(text);
          await flush();
          expect(sent.filter((each) => !isAnswerOrNotification(each))).toEqual([]);
          session.close();
        },
      ),
      RUNS,
    );
  });

  it("may come parsed as well", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.jsonValue(), message)), async (values) => {
        const { session, sent } = startSession("2025-11-25");
        for (const value of values) session.receive(value);
        await flush();
        expect(sent.every(isAnswerOrNotification)).toBe(true);
        session.close();
      }),
      RUNS,
    );
  });
});

describe("every request", () => {
  const request = fc.record({
    method: fc.constantFrom(...METHODS.filter((each) => !each.startsWith("notifications/"))),
    params,
  });
  const step = fc.oneof(
    { weight: 6, arbitrary: request.map((each) => ({ kind: "request" as const, ...each })) },
    { weight: 2, arbitrary: fc.nat().map((pick) => ({ kind: "cancel" as const, pick })) },
    { weight: 2, arbitrary: fc.nat().map((pick) => ({ kind: "finish" as const, pick })) },
  );

  it("is answered exactly once, unless it was cancelled under way: then never", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...PROTOCOL_VERSIONS),
        fc.array(step, { maxLength: 40 }),
        async (version, steps) => {
          const { session, sent, backend } = startSession(version);
          const open: { id: number; finish: () => void }[] = [];
          const cancelled = new Set<string>();
          const asked = new Set<string>();
          let id = 0;
          backend.tools.set(
            "waits",
            (_input, call) =>
              new Promise((resolve) => {
                open.push({ id: Number(call.requestId), finish: () => resolve({ ok: true, value: { text: "" } }) });
                onAbort(call.signal, () => {});
              }),
          );
          for (const each of steps) {
            if (each.kind === "request") {
              id += 1;
              asked.add(key(id));
              session.receive({ jsonrpc: "2.0", id, method: each.method, params: each.params });
            } else {
              const one = open.splice(each.pick % (open.length || 1), 1)[0];
              if (one === undefined) continue;
              if (each.kind === "finish") {
                one.finish();
              } else {
                cancelled.add(key(one.id));
                session.receive({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: one.id } });
                one.finish();
              }
            }
            await flush();
          }
          for (const one of open) one.finish();
          await session.idle();
          const answered = sent.filter((each) => "id" in each).map((each) => key(each["id"]));
          expect(answered).toHaveLength(new Set(answered).size);
          expect(new Set(answered)).toEqual(new Set([...asked].filter((each) => !cancelled.has(each))));
        },
      ),
      { numRuns: 100 },
    );
  });

  it("is unharmed by its neighbours' nonsense", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.string(), fc.json()), { maxLength: 20 }), async (noise) => {
        const { session, sent } = startSession();
        for (const text of noise) session.receive(text);
        session.receive({ jsonrpc: "2.0", id: "mine", method: "initialize", params: initializeParams("2025-11-25") });
        expect(sent.filter((each) => each["id"] === "mine" && each["result"] !== undefined)).toHaveLength(1);
      }),
      RUNS,
    );
  });
});
