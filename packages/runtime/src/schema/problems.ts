import { ToolError } from "../definition.ts";

/** One thing that is wrong with the arguments of a call: where, and what was expected. */
export interface Problem {
  /** For people: `items[2].name`, or "" for the arguments as a whole. */
  readonly path: string;
  readonly message: string;
}

/** As many as a model can act on at once; a huge list of bad items must not become a huge message. */
const MAX_PROBLEMS = 5;

/** The failure of a call whose arguments do not fit, in one paragraph. */
export function invalidArguments(tool: string, problems: readonly Problem[]): ToolError {
  const shown = problems
    .slice(0, MAX_PROBLEMS)
    .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  const more = problems.length - shown.length;
  if (more > 0) shown.push(`and ${more} more`);
  return new ToolError("validation_error", `Invalid arguments for tool "${tool}": ${shown.join("; ")}`);
}

/** Writes a path the way that people write code. */
export function formatPath(keys: readonly PropertyKey[]): string {
  let path = "";
  for (const key of keys) {
    if (typeof key === "number" || /^\d+$/.test(String(key))) path += `[${String(key)}]`;
    else path += path === "" ? String(key) : `.${String(key)}`;
  }
  return path;
}
