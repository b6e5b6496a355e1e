import { randomBytes } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { ConfigFileError, type ServerEntry } from "./server-entry.ts";
import type { Places, Target } from "./targets.ts";

export interface Written {
  readonly ide: string;
  readonly file: string;
  readonly action: "created" | "updated" | "unchanged" | "failed";
  /** Copy of the file as it was, where it was changed. */
  readonly backup?: string;
  /** Why it failed. */
  readonly error?: string;
  /** The file's new text; only with `dryRun`. */
  readonly text?: string;
}

export interface WriteOptions extends Places {
  readonly dryRun: boolean;
  /** Texts that a dry run would have written so far: two clients may share a file. */
  readonly planned: Map<string, string>;
}

/** Enters the server into the configuration of one client. A file that it cannot change without risk stays as it is. */
export function writeConfig(target: Target, server: ServerEntry, options: WriteOptions): Written {
  const file = target.file(options);
  const done = { ide: target.id, file };
  try {
    const old = options.planned.get(file) ?? readText(file);
    const text = target.edit(old ?? "", server);
    if (text === old) return { ...done, action: "unchanged" };
    const action = old === undefined ? "created" : "updated";
    if (options.dryRun) {
      options.planned.set(file, text);
      return { ...done, action, text };
    }
    if (old === undefined) {
      replaceFile(file, text);
      return { ...done, action };
    }
    const backup = `${file}.bak`;
    copyFileSync(file, backup);
    replaceFile(file, text);
    return { ...done, action, backup };
  } catch (error) {
    return { ...done, action: "failed", error: explain(error) };
  }
}

function readText(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const bytes = readFileSync(file);
  try {
    // Bytes that are no text would come back changed.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ConfigFileError("it is not UTF-8 text");
  }
}

/** As a whole or not at all. A link stays a link: settings are often kept elsewhere and linked into place. */
export function replaceFile(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const path = existsSync(file) ? realpathSync(file) : file;
  const staged = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  const fd = openSync(staged, "wx");
  try {
    const bytes = Buffer.from(text, "utf8");
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    if (path !== file || existsSync(path)) fchmodSync(fd, statSync(path).mode & 0o777);
    fsyncSync(fd);
    renameSync(staged, path);
  } catch (error) {
    rmSync(staged, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

function explain(error: unknown): string {
  if (error instanceof ConfigFileError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") return "this user may not write it";
  return code === undefined ? message : `${message.replace(/^[A-Z]+: /, "")}`;
}
