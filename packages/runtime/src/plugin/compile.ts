import { ErrorCode, HubError, type PluginManifest } from "@orchestrator/protocol";
import type { InputSchema, PluginDefinition, StreamingTool, UnaryTool } from "../definition.ts";
import type { JsonSchema } from "../json.ts";
import { isReservedFlag } from "../process/flags.ts";
import { createSchemaCompiler } from "../schema/json-schema-validator.ts";
import { standardValidator, type Validate } from "../schema/standard-validator.ts";
import { isStandardSchema, jsonSchemaOf } from "../schema/tool-schema.ts";
import { manifestOf } from "./manifest.ts";

/** A tool with all that is known of it before the first call. */
export type CompiledTool = {
  readonly name: string;
  /** What callers see. */
  readonly jsonSchema: JsonSchema;
  /** Absent where the tool takes whatever comes. */
  readonly validate: Validate | undefined;
} & (
  | { readonly streaming: false; readonly definition: UnaryTool<never> }
  | { readonly streaming: true; readonly definition: StreamingTool<never> }
);

/** A definition, checked, with everything that is the same for every call made once. */
export interface CompiledPlugin {
  readonly definition: PluginDefinition;
  readonly manifest: PluginManifest;
  readonly tools: ReadonlyMap<string, CompiledTool>;
  /** Loads what the first call would otherwise wait for. Never rejects. */
  warmUp(): Promise<void>;
  /** Compiles what is otherwise compiled at the first call. @throws {HubError} `INTERNAL` for a schema that is not one */
  checkSchemas(): Promise<void>;
}

/** Ids become file names of certificates and routing keys, so they hold nothing that either could misread. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** @throws {HubError} `INVALID_ARGUMENT` that says what to change in the definition */
export function compilePlugin(definition: PluginDefinition): CompiledPlugin {
  if (!ID.test(definition.id)) {
    throw invalid(`Plugin id "${definition.id}" is not 1 to 64 letters, digits, dots, dashes and underscores`);
  }
  for (const flag of Object.keys(definition.flags ?? {})) {
    if (isReservedFlag(flag)) throw invalid(`Flag "--${flag}" of plugin "${definition.id}" belongs to the host`);
    if (!/^[^-=\s][^=\s]*$/.test(flag)) throw invalid(`"${flag}" cannot be the name of a flag`);
  }
  const compiler = createSchemaCompiler();
  const tools = new Map<string, CompiledTool>();
  let plainSchemas = false;
  for (const [name, tool] of Object.entries(definition.tools ?? {})) {
    const { input } = tool as UnaryTool | StreamingTool;
    let validate: Validate | undefined;
    const jsonSchema = jsonSchemaOf(name, tool as UnaryTool<InputSchema>);
    if (input !== undefined && isStandardSchema(input)) validate = standardValidator(name, input);
    else if (input !== undefined && !acceptsAnything(input)) {
      plainSchemas = true;
      validate = compiler.validator(name, input);
    }
    tools.set(name, { name, jsonSchema, validate, ...kindOf(name, tool) });
  }
  return {
    definition,
    manifest: manifestOf(definition),
    tools,
    checkSchemas: () => compiler.checkAll(),
    warmUp: async () => {
      // A failure comes up again, with its message, at the first call that needs it.
      if (plainSchemas) await compiler.warmUp().catch(() => {});
    },
  };
}

function kindOf(name: string, tool: UnaryTool<never> | StreamingTool<never>) {
  if ("stream" in tool && typeof tool.stream === "function") return { streaming: true, definition: tool } as const;
  if ("run" in tool && typeof tool.run === "function") return { streaming: false, definition: tool } as const;
  throw invalid(`Tool "${name}" has neither run nor stream`);
}

/** `{ type: "object" }` says nothing that the wire does not say already. */
function acceptsAnything(schema: JsonSchema): boolean {
  return schema["type"] === "object" && Object.keys(schema).length === 1;
}

function invalid(message: string): HubError {
  return new HubError(ErrorCode.InvalidArgument, message);
}
