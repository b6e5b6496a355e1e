/**
 * The few globals beyond the language that this package uses. All of its hosts have them (Node, Deno, browsers), but no
 * compiler library that is free of a host's other types declares them, and an ambient declaration here would collide with
 * the host's own types in the packages that import this one.
 */
interface Platform {
  readonly TextDecoder: new (
    label: "utf-8",
    options: { readonly fatal: boolean; readonly ignoreBOM: boolean },
  ) => { decode(bytes: Uint8Array): string };
  readonly TextEncoder: new () => {
    encodeInto(text: string, into: Uint8Array): { readonly read: number; readonly written: number };
  };
  readonly crypto: { getRandomValues(into: Uint8Array): Uint8Array };
}

export const platform = globalThis as unknown as Platform;
