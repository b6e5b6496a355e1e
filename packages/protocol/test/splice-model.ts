import type { SpliceOptions } from "../src/index.ts";
import { concat, lengthDelimited, splitFields, varintField } from "./wire.ts";

const NOTHING = new Uint8Array(0);

/** What a splice has to give, made the slow way: take the fields apart, leave some out, put others behind them. */
export function spliceModel(bytes: Uint8Array, options: SpliceOptions): Uint8Array {
  const { caller, context, requestId, legacyTraceParent, subscriptionId, receivedAtMs } = options;
  const fields = splitFields(bytes).filter(
    (field) => field.number !== 200 && !(field.number === 1 && requestId !== undefined),
  );
  const parts = fields.map((field) => {
    const body = splitFields(field.value.length > 0 && [20, 40, 52].includes(field.number) ? field.value : NOTHING);
    const rebuilt = (removed: number[], added: Uint8Array[]) =>
      lengthDelimited(
        field.number,
        concat([...body.filter((part) => !removed.includes(part.number)).map((part) => part.bytes), ...added]),
      );
    switch (field.number) {
      case 20:
        return legacyTraceParent === undefined
          ? rebuilt([3], [text(3, caller)])
          : rebuilt([3, 4], [text(3, caller), text(4, legacyTraceParent)]);
      case 40:
        return rebuilt([4], [text(4, caller)]);
      case 52:
        return rebuilt([4, 200, 201], [text(4, caller), text(200, subscriptionId), time(201, receivedAtMs)]);
      default:
        return field.bytes;
    }
  });
  const own =
    context === undefined
      ? NOTHING
      : lengthDelimited(
          200,
          concat([
            number(1, context.timeoutMs),
            text(2, context.traceParent),
            text(3, caller),
            number(4, Number(context.acceptsCalls ?? false)),
            number(5, Number(context.wantsProgress ?? false)),
          ]),
        );
  return concat([text(1, requestId), ...parts, own]);
}

function text(field: number, value: string | undefined): Uint8Array {
  return value === undefined || value === "" ? NOTHING : lengthDelimited(field, value);
}

function number(field: number, value: number): Uint8Array {
  return value === 0 ? NOTHING : varintField(field, value);
}

function time(field: number, epochMs: number | undefined): Uint8Array {
  if (epochMs === undefined) return NOTHING;
  const seconds = Math.floor(epochMs / 1000);
  return lengthDelimited(field, concat([number(1, seconds), number(2, (epochMs - seconds * 1000) * 1_000_000)]));
}
