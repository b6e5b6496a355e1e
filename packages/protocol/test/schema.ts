import { join } from "node:path";
import protobuf from "protobufjs";
import * as protocol from "../src/index.ts";

/** A generated codec, without its message type. */
export interface Codec {
  encode(message: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): Record<string, unknown>;
  fromPartial(partial: object): Record<string, unknown>;
}

/** One message of the schema: as the second, independent codec knows it, and as the generated code does. */
export interface Pair {
  readonly name: string;
  readonly type: protobuf.Type;
  readonly codec: Codec;
}

const protoDir = join(import.meta.dirname, "..", "..", "..", "proto");

/** Names that are exported under another one, because the plain one means something else in TypeScript. */
const RENAMED: Readonly<Record<string, string>> = { Error: "WireError" };

/** Every message of the schema, straight from the .proto files. */
export function loadSchema(): Pair[] {
  const root = new protobuf.Root();
  root.resolvePath = (_, target) => join(protoDir, target);
  root.loadSync("orchestra/plugin/v1/plugin.proto");
  root.resolveAll();
  return ["orchestra.plugin.v1", "orchestra.hub.v1"].flatMap((space) =>
    (root.lookup(space) as protobuf.Namespace).nestedArray
      .filter((entry) => entry instanceof protobuf.Type)
      .map((type) => ({ name: `${space}.${type.name}`, type, codec: codecOf(type.name) })),
  );
}

export function pairOf(pairs: readonly Pair[], name: string): Pair {
  const pair = pairs.find((candidate) => candidate.type.name === name);
  if (pair === undefined) throw new Error(`No message "${name}" in the schema`);
  return pair;
}

function codecOf(name: string): Codec {
  const codec = (protocol as unknown as Record<string, Codec | undefined>)[RENAMED[name] ?? name];
  if (codec === undefined) throw new Error(`The package exports no codec for message "${name}"`);
  return codec;
}
