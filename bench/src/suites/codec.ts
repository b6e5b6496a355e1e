import { createRequire } from "node:module";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { PluginRequest } from "@orchestrator/protocol";
import { compare } from "../compare.ts";
import { TOOL_CALL } from "../envelope.ts";
import type { Suite } from "../suite.ts";

/** As much of protobufjs as is used. */
interface ReflectedType {
  decode(bytes: Uint8Array): object;
  encode(message: object): { finish(): Uint8Array };
  create(value: object): object;
  lookupType(name: string): ReflectedType;
}
interface Protobufjs {
  Root: new () => ReflectedType & { resolvePath: (from: string, to: string) => string; loadSync(file: string): void };
}

const root = join(import.meta.dirname, "..", "..", "..");

/** The same schema, read at run time. */
function reflected(): ReflectedType {
  const { Root } = createRequire(join(root, "packages", "protocol", "package.json"))("protobufjs") as Protobufjs;
  const schema = new Root();
  const ours = schema.resolvePath;
  schema.resolvePath = (from, to) => (to.startsWith("orchestra/") ? join(root, "proto", to) : ours(from, to));
  schema.loadSync("orchestra/plugin/v1/plugin.proto");
  return schema.lookupType("orchestra.plugin.v1.PluginRequest");
}

interface StructValue {
  /** Which of the members is set. */
  readonly kind?: string;
  readonly listValue: { readonly values: readonly StructValue[] };
  readonly structValue: { readonly fields: object };
  readonly [member: string]: unknown;
}

/** A Struct in protobufjs is its messages; people want the object. */
function toPlain(value: StructValue): unknown {
  switch (value.kind) {
    case "listValue":
      return value.listValue.values.map(toPlain);
    case "structValue":
      return fieldsToPlain(value.structValue.fields);
    case "nullValue":
    case undefined:
      return null;
    default:
      return value[value.kind];
  }
}

function fieldsToPlain(fields: object): object {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, toPlain(value)]));
}

function fromPlain(value: unknown): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "number") return { numberValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (value === null || value === undefined) return { nullValue: 0 };
  if (Array.isArray(value)) return { listValue: { values: value.map(fromPlain) } };
  return { structValue: { fields: plainToFields(value) } };
}

function plainToFields(value: object): object {
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, fromPlain(one)]));
}

/** Whole messages between bytes and plain objects, beside a library that reads the schema at run time. */
export const codecSuite: Suite = {
  name: "codec",
  run: async (context) => {
    const type = reflected();
    const message = PluginRequest.decode(TOOL_CALL);
    const call = message.request?.$case === "toolCall" ? message.request.value : undefined;
    const encodePeer = () => {
      const toolCall = { ...call, arguments: { fields: plainToFields(call!.arguments!) } };
      return type.encode(type.create({ requestId: message.requestId, toolCall })).finish();
    };
    const decodePeer = () => {
      const decoded = type.decode(TOOL_CALL) as { toolCall: { arguments: { fields: object } } };
      return fieldsToPlain(decoded.toolCall.arguments.fields);
    };
    if (encodePeer().length !== TOOL_CALL.length) throw new Error("The peer writes something else");
    if (!isDeepStrictEqual(decodePeer(), call?.arguments)) throw new Error("The peer reads something else");
    const peerName = "protobufjs with reflection";
    return compare(
      [
        { name: "encode/616B", peerName, ours: () => void PluginRequest.encode(message).finish(), peer: encodePeer },
        { name: "decode/616B", peerName, ours: () => void PluginRequest.decode(TOOL_CALL), peer: decodePeer },
      ],
      context,
    );
  },
};
