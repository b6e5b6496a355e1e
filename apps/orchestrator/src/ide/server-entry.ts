/** How an MCP client starts this program. */
export interface ServerEntry {
  /** Key under which it is listed. */
  readonly name: string;
  /** Absolute path of a program. */
  readonly command: string;
  readonly args: readonly string[];
}

/** A configuration file that cannot be changed without risk; nothing was written. */
export class ConfigFileError extends Error {
  override readonly name = "ConfigFileError";
}
