import { existsSync } from "node:fs";
import { type Places, TARGETS, type Target } from "./targets.ts";

/** The clients that left traces here; Claude Code where none did. */
export function detectTargets(places: Places): readonly Target[] {
  const found = TARGETS.filter((target) => target.signs(places).some((path) => existsSync(path)));
  return found.length > 0 ? found : TARGETS.filter((target) => target.id === "claude");
}
