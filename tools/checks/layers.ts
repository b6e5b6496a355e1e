/**
 * Who may import whom. A package imports only packages of a lower layer; the side of the hub and that of the plugins meet only in
 * what belongs to both.
 */
export interface Place {
  readonly layer: number;
  readonly side: "both" | "hub" | "plugin" | "program" | "outside";
}

const PACKAGES: Readonly<Record<string, Place>> = {
  gen: { layer: 0, side: "both" },
  protocol: { layer: 1, side: "both" },
  transport: { layer: 2, side: "both" },
  identity: { layer: 3, side: "both" },
  "transport-quic": { layer: 3, side: "both" },
  "transport-socket": { layer: 3, side: "both" },
  "unix-json": { layer: 3, side: "both" },
  mcp: { layer: 3, side: "both" },
  config: { layer: 3, side: "hub" },
  supervisor: { layer: 3, side: "hub" },
  registry: { layer: 3, side: "hub" },
  store: { layer: 3, side: "hub" },
  context: { layer: 4, side: "hub" },
  events: { layer: 4, side: "hub" },
  scheduler: { layer: 4, side: "hub" },
  credentials: { layer: 4, side: "hub" },
  policy: { layer: 4, side: "hub" },
  containers: { layer: 4, side: "hub" },
  hub: { layer: 5, side: "hub" },
  http: { layer: 6, side: "hub" },
  runtime: { layer: 4, side: "plugin" },
  "plugin-sdk": { layer: 5, side: "plugin" },
  testkit: { layer: 7, side: "program" },
};

/** Folder of a package, for example `packages/hub` → where it stands; undefined for a package that nobody has placed yet. */
export function placeOf(folder: string): Place | undefined {
  const [parent, name] = folder.split("/");
  if (parent === "packages") return Object.hasOwn(PACKAGES, name!) ? PACKAGES[name!] : undefined;
  if (parent === "plugins") return { layer: 6, side: "plugin" };
  if (parent === "apps") return { layer: 8, side: "program" };
  return { layer: 9, side: "outside" };
}

/** @returns why `from` may not import `to`, or undefined where it may */
export function forbidden(from: string, to: string): string | undefined {
  const source = placeOf(from);
  const target = placeOf(to);
  if (source === undefined) return `${from} has no place in tools/checks/layers.ts`;
  if (target === undefined) return `${to} has no place in tools/checks/layers.ts`;
  if (to === "packages/gen" && from !== "packages/protocol" && source.side !== "outside")
    return "only packages/protocol imports the generated code";
  if (target.side === "outside") return `nothing imports ${to}`;
  if (source.side === "outside") return undefined;
  if (target.layer >= source.layer)
    return `${to} stands in layer ${target.layer}, ${from} in layer ${source.layer}: imports point down`;
  const sides = [source.side, target.side];
  if (sides.includes("hub") && sides.includes("plugin"))
    return "the side of the hub and that of the plugins do not import each other";
  return undefined;
}
