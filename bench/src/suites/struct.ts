import {
  decodeStruct,
  decodeToolCall,
  encodeStruct,
  encodeToolResult,
  type JsonObject,
  PluginRequest,
  PluginResponse,
  peekRequest,
  Struct,
} from "@orchestrator/protocol";
import { compare } from "../compare.ts";
import { TOOL_ARGUMENTS, TOOL_CALL } from "../envelope.ts";
import type { Suite } from "../suite.ts";

const ARGUMENTS = structuredClone(TOOL_ARGUMENTS) as unknown as JsonObject;

/** What tools take and give: the arguments of one call, a word or two, a long list, text that is not English. */
const FIXTURES: Readonly<Record<string, JsonObject>> = {
  "tool-arguments": ARGUMENTS,
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

const POOLED = { allocate: Buffer.allocUnsafe };
const requestId = "0197a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
const toolCall = {
  $case: "toolCall",
  value: { success: true, result: ARGUMENTS, errorCode: "", errorMessage: "" },
} as const;

/** Our own conversion between JSON and Struct, and of the messages that carry one with every call, beside the generated one. */
export const structSuite: Suite = {
  name: "struct",
  run: async (context) =>
    compare(
      [
        ...Object.entries(FIXTURES).flatMap(([name, object]) => codecsOf(name, object)),
        {
          name: "decodeToolCall/616B",
          peerName: "ts-proto",
          ours: () => void decodeToolCall(TOOL_CALL, peekRequest(TOOL_CALL)),
          peer: () => void PluginRequest.decode(TOOL_CALL),
        },
        {
          name: "encodeToolResult/508B",
          peerName: "ts-proto",
          ours: () => void encodeToolResult({ requestId, result: ARGUMENTS }),
          peer: () => void PluginResponse.encode({ requestId, response: toolCall, error: undefined }).finish(),
        },
      ],
      context,
    ),
};

function codecsOf(name: string, object: JsonObject) {
  const bytes = encodeStruct(object);
  const encode = () => void Struct.encode({ fields: object }).finish();
  const decode = () => void Struct.decode(bytes).fields;
  const peerName = "ts-proto";
  return [
    { name: `encodeStruct/${name}`, peerName, ours: () => void encodeStruct(object), peer: encode },
    { name: `encodeStruct/${name}-pooled`, peerName, ours: () => void encodeStruct(object, POOLED), peer: encode },
    { name: `decodeStruct/${name}`, peerName, ours: () => void decodeStruct(bytes), peer: decode },
  ];
}
