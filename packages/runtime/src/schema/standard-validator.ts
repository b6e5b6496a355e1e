import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { JsonObject } from "../json.ts";
import { formatPath, invalidArguments } from "./problems.ts";

/** @returns what the schema makes of the arguments @throws {ToolError} `validation_error` */
export type Validate = (input: JsonObject) => unknown | Promise<unknown>;

/** Checks with any schema library that speaks Standard Schema. Stays synchronous where the library is. */
export function standardValidator(tool: string, schema: StandardSchemaV1): Validate {
  const settle = (result: StandardSchemaV1.Result<unknown>): unknown => {
    if (result.issues === undefined) return result.value;
    throw invalidArguments(tool, result.issues.map(toProblem));
  };
  return (input) => {
    const result = schema["~standard"].validate(input);
    return result instanceof Promise ? result.then(settle) : settle(result);
  };
}

function toProblem(issue: StandardSchemaV1.Issue) {
  const keys = (issue.path ?? []).map((part) => (typeof part === "object" ? part.key : part));
  // "Invalid input: expected string, received number" after "Invalid arguments for tool" says the same thing twice.
  return { path: formatPath(keys), message: issue.message.replace(/^Invalid (input|type|value): /, "") };
}
