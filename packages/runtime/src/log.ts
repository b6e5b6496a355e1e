/** Writes lines for people and for the host's log, on stderr; stdout stays clean. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Values that belong to a line; anything that JSON can hold. Errors are written with message and stack. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Hosts give up on a plugin that writes a line of 64 KiB before it is ready; escapes may double a line's length. */
const MAX_LINE_CHARACTERS = 16 * 1024;

/**
 * A log that hands one line per message to `write`: `level: message {"field": …}`. Line breaks become ` | `, so that a host
 * that reads line by line keeps a stack with its message, and nothing in a message can pass for the READY line.
 */
export function createLog(write: (line: string) => void): Log {
  const at = (level: string) => (message: string, fields?: LogFields) => write(formatLine(level, message, fields));
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function formatLine(level: string, message: string, fields: LogFields | undefined): string {
  let line = `${level}: ${message}`;
  if (fields !== undefined && Object.keys(fields).length > 0) line += ` ${stringify(fields)}`;
  line = line.replaceAll(/\s*[\r\n]+\s*/g, " | ");
  return line.length > MAX_LINE_CHARACTERS ? `${line.slice(0, MAX_LINE_CHARACTERS)} … (cut)\n` : `${line}\n`;
}

function stringify(fields: LogFields): string {
  try {
    return JSON.stringify(fields, (_key, value: unknown) => {
      if (value instanceof Error) return value.stack ?? value.message;
      return typeof value === "bigint" ? String(value) : value;
    });
  } catch (error) {
    return `(fields cannot be shown: ${error instanceof Error ? error.message : String(error)})`;
  }
}
