import type { Command } from "commander";
import { bash } from "./bash.ts";
import { fish } from "./fish.ts";
import { wordsOf } from "./words.ts";
import { zsh } from "./zsh.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A script that completes commands, their options and the values of both. Made from the commands themselves. */
export function completionScript(shell: Shell, program: Command): string {
  return { bash, zsh, fish }[shell](wordsOf(program));
}
