import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { ErrorObject, ValidateFunction } from "ajv/dist/2020.js";
import type { JsonObject, JsonSchema } from "../json.ts";
import { formatPath, invalidArguments, type Problem } from "./problems.ts";
import { quickCheck } from "./quick-check.ts";
import type { Validate } from "./standard-validator.ts";

/** Makes checks from JSON Schemas (2020-12). */
export interface SchemaCompiler {
  /** Cheap: the schema is compiled at its first use, or by `warmUp`. */
  validator(tool: string, schema: JsonSchema): Validate;
  /** Loads the validating library if there is a schema that needs it for good input, so that the first call need not wait for it. */
  warmUp(): Promise<void>;
  /** Compiles every schema now. @throws {HubError} `INTERNAL`, naming the tool whose schema is not one */
  checkAll(): Promise<void>;
}

/**
 * A compiler over ajv, which is loaded only when it is needed: for input that is wrong, and for schemas with more than types and
 * properties in them. `strict` is off because hosts send whatever authors wrote, `format` is taken as a hint as the standard says, and
 * defaults are filled in as other schema libraries do.
 */
export function createSchemaCompiler(): SchemaCompiler {
  let loading: Promise<(schema: JsonSchema) => ValidateFunction> | undefined;
  const load = () => {
    loading ??= import("ajv/dist/2020.js").then(({ Ajv2020 }) => {
      const ajv = new Ajv2020({
        strict: false,
        allErrors: true,
        validateFormats: false,
        useDefaults: true,
        logger: false,
      });
      return (schema) => ajv.compile(schema);
    });
    return loading;
  };
  let needsLibrary = false;
  const prepared: (() => Promise<ValidateFunction>)[] = [];
  return {
    warmUp: async () => void (needsLibrary && (await load())),
    checkAll: async () => void (await Promise.all(prepared.map((prepare) => prepare()))),
    validator(tool, schema) {
      const isGood = quickCheck(schema);
      needsLibrary ||= isGood === undefined;
      let check: ValidateFunction | undefined;
      const prepare = async () => {
        check ??= compileFor(tool, schema, await load());
        return check;
      };
      prepared.push(prepare);
      const run = (input: JsonObject, validate: ValidateFunction): JsonObject => {
        if (validate(input)) return input;
        throw invalidArguments(tool, problemsOf(validate.errors ?? []));
      };
      return (input) => {
        if (isGood?.(input)) return input;
        return check === undefined ? prepare().then((made) => run(input, made)) : run(input, check);
      };
    },
  };
}

function compileFor(
  tool: string,
  schema: JsonSchema,
  compile: (schema: JsonSchema) => ValidateFunction,
): ValidateFunction {
  try {
    return compile(schema);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HubError(ErrorCode.Internal, `The input schema of tool "${tool}" is not a valid JSON Schema: ${reason}`);
  }
}

function problemsOf(errors: readonly ErrorObject[]): Problem[] {
  // Every branch of a failed anyOf or oneOf reports its own errors first; the summary comes last and says what was tried.
  return errors.map((error) => {
    const keys = error.instancePath.split("/").slice(1).map(unescapePointer);
    if (error.keyword === "required") keys.push(String(error.params["missingProperty"]));
    if (error.keyword === "additionalProperties") keys.push(String(error.params["additionalProperty"]));
    return { path: formatPath(keys), message: describe(error) };
  });
}

function describe(error: ErrorObject): string {
  const { keyword, params } = error;
  switch (keyword) {
    case "required":
      return "is required";
    case "additionalProperties":
      return "is not a known argument";
    case "type":
      return `expected ${[params["type"]].flat().join(" or ")}`;
    case "enum":
      return `expected one of ${(params["allowedValues"] as unknown[]).map((value) => JSON.stringify(value)).join(", ")}`;
    case "const":
      return `expected ${JSON.stringify(params["allowedValue"])}`;
    default:
      return error.message ?? keyword;
  }
}

function unescapePointer(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}
