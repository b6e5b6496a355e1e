import { randomInt } from "node:crypto";

/**
 * An address of this machine that nobody else uses, with any port: one that was free a moment ago still is, whatever else runs. Systems
 * other than Linux have one such address only.
 */
export function ownLoopback(): string {
  if (process.platform !== "linux") return "localhost:0";
  return `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(1, 255)}:0`;
}
