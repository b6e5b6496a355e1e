import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { JsonObject } from "@orchestrator/runtime";
import { MarkdownStore } from "../src/store/store.ts";

/** A scratch workspace with a store on it; both are gone when the test ends. */
export class Workspace implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "storage-markdown-"));
  readonly root = join(this.path, ".projects");
  readonly store = new MarkdownStore(this.path);

  /** Writes text through the store. */
  write(path: string, text: string, expectedVersion = -1, metadata?: JsonObject): Promise<number> {
    return this.store.write({ path, content: new TextEncoder().encode(text), metadata, expectedVersion });
  }

  /** Content as text, with metadata and version. */
  async read(path: string): Promise<{ text: string; metadata: JsonObject | undefined; version: number } | undefined> {
    const document = await this.store.read(path);
    if (document === undefined) return undefined;
    return { text: new TextDecoder().decode(document.content), metadata: document.metadata, version: document.version };
  }

  async list(prefix = "", pattern = ""): Promise<string[]> {
    return (await this.store.list(prefix, pattern)).map(({ path }) => path);
  }

  /** Puts a file there behind the store's back. */
  put(path: string, text: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** What the disk has; undefined where there is no such file. */
  get(path: string): string | undefined {
    const file = join(this.root, path);
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  }

  /** Every file of a directory, those of the store's own included. */
  files(path = ""): string[] {
    return readdirSync(join(this.root, path)).sort();
  }

  [Symbol.dispose](): void {
    this.store.close();
    rmSync(this.path, { recursive: true, force: true });
  }
}
