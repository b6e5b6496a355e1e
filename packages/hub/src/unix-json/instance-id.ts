import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { ErrorCode, HubError } from "@orchestrator/protocol";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The file that holds it: the UUID and a line break. */
export function instanceIdFile(stateDir: string): string {
  return join(stateDir, "instance-id");
}

/**
 * The id of this installation: a UUID, made once and kept. Licences of plugins may hang on it, so it is never replaced.
 * @throws {HubError} `DATA_LOSS` for a file that holds something else
 */
export function instanceId(stateDir: string): string {
  const file = instanceIdFile(stateDir);
  return read(file) ?? make(file);
}

function make(file: string): string {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const id = randomUUID();
  const draft = `${file}.${id}`;
  const fd = openSync(draft, "wx", 0o600);
  try {
    writeSync(fd, `${id}\n`);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  try {
    // As a whole or not at all, and never over another one: whoever links first has made it for all.
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    unlinkSync(draft);
  }
  return read(file) ?? id;
}

function read(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  if (isUuid(text)) return text.toLowerCase();
  const hint = "Put the id back from a backup, or remove the file to get a new one";
  throw new HubError(ErrorCode.DataLoss, `"${file}" does not hold a UUID. ${hint}`);
}
