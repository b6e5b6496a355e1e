import { describe, expect, it } from "vitest";
import golden from "../golden/vectors.json" with { type: "json" };
import { encodeFrame, FrameReader, peekRequest, peekResponse } from "../src/index.ts";
import { plainFromGenerated, plainFromReflection, reflectedStruct } from "./plain.ts";
import { loadSchema, pairOf } from "./schema.ts";
import { hex } from "./wire.ts";

const schema = loadSchema();

/** The vectors hold Structs as plain JSON, as protobuf's JSON form has it; protobufjs wants them spelled out. */
function withStructs(json: unknown): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  const isStruct = (key: string, value: unknown) =>
    key === "metadata" || (key === "arguments" && typeof value === "object");
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [
      key,
      isStruct(key, value) ? reflectedStruct(value) : withStructs(value),
    ]),
  );
}

describe("golden vectors", () => {
  it("cover requests and responses", () => {
    expect(golden.vectors.length).toBeGreaterThanOrEqual(14);
    expect(new Set(golden.vectors.map((vector) => vector.message)).size).toBe(2);
  });

  it.each(golden.vectors.map((vector) => [vector.name, vector] as const))("%s", (_, vector) => {
    const { type, codec } = pairOf(schema, vector.message.split(".").at(-1)!);
    const frame = hex(vector.frame);
    const payloads: Uint8Array[] = [];
    new FrameReader((payload) => payloads.push(payload)).push(frame);
    expect(payloads).toHaveLength(1);
    const payload = payloads[0]!;

    const message = codec.decode(payload);
    const stated = type.encode(type.fromObject(withStructs(vector.json) as object)).finish();
    const expected = plainFromReflection(type, type.decode(stated) as never);
    expect(plainFromGenerated(type, message)).toEqual(expected);
    expect(encodeFrame(codec.encode(message).finish())).toEqual(frame);

    const peek = type.name === "PluginRequest" ? peekRequest(payload) : peekResponse(payload);
    expect(peek.requestId).toBe(vector.json.requestId);
    const member = Object.keys(vector.json).find((key) => key !== "requestId");
    expect(peek.kind).toBe(member === undefined ? 0 : type.fields[member]!.id);
  });
});
