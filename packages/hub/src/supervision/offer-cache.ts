import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PluginConfig } from "@orchestrator/config";
import { PluginResponse } from "@orchestrator/protocol";
import type { Offer } from "../plugin-entry.ts";

interface Saved {
  readonly key: string;
  /** Encoded list answers, base64: exactly what the plugin had said. */
  readonly tools: string;
  readonly prompts: string;
  readonly storage: readonly string[];
  readonly ai: readonly string[];
  readonly http: readonly string[];
}

/**
 * What lazy plugins offered when they last ran, so that they are listed without being started. An offer counts for one program
 * and one configuration; of another it is not known.
 */
export class OfferCache {
  readonly #directory: string;

  constructor(stateDir: string) {
    this.#directory = join(stateDir, "offers");
  }

  /** @param program what changes with the program on disk @returns undefined when it is not known */
  read(config: PluginConfig, program: string): Offer | undefined {
    try {
      const saved = JSON.parse(readFileSync(this.#file(config.id), "utf8")) as Saved;
      if (saved.key !== keyOf(config, program)) return undefined;
      const { storage, ai, http } = saved;
      const tools = PluginResponse.decode(Buffer.from(saved.tools, "base64")).response;
      const prompts = PluginResponse.decode(Buffer.from(saved.prompts, "base64")).response;
      if (tools?.$case !== "listTools" || prompts?.$case !== "listPrompts") return undefined;
      return { tools: tools.value.tools, prompts: prompts.value.prompts, storage, ai, http };
    } catch {
      // Not there, or not to be used: the plugin is started once and says it again.
      return undefined;
    }
  }

  /** @throws what the file system says */
  write(config: PluginConfig, program: string, offer: Offer): void {
    const { storage, ai, http } = offer;
    const saved: Saved = {
      key: keyOf(config, program),
      tools: encoded({ $case: "listTools", value: { tools: [...offer.tools] } }),
      prompts: encoded({ $case: "listPrompts", value: { prompts: [...offer.prompts] } }),
      storage,
      ai,
      http,
    };
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const file = this.#file(config.id);
    const beside = `${file}.${process.pid}.new`;
    try {
      writeFileSync(beside, JSON.stringify(saved), { mode: 0o600 });
      renameSync(beside, file);
    } finally {
      rmSync(beside, { force: true });
    }
  }

  #file(id: string): string {
    return join(this.#directory, `${id}.json`);
  }
}

function encoded(response: NonNullable<PluginResponse["response"]>): string {
  const bytes = PluginResponse.encode({ requestId: "", response, error: undefined }).finish();
  return Buffer.from(bytes).toString("base64");
}

/** A digest: the environment of a program may hold secrets, and stands in what describes it. */
function keyOf(config: PluginConfig, program: string): string {
  const { providesStorage, providesAi, providesHttp } = config;
  const text = JSON.stringify([program, config.config, providesStorage, providesAi, providesHttp]);
  return createHash("sha256").update(text).digest("hex");
}
