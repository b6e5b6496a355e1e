import type { JsonObject, JsonValue } from "@orchestrator/runtime";

export type { JsonObject, JsonValue };

/** Sets an own property whatever its name: a plain assignment to "__proto__" would change the prototype instead. */
export function setOwn(target: JsonObject, key: string, value: JsonValue): void {
  if (key !== "__proto__") target[key] = value;
  else Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
