/** The certificate authority, leaf certificates and per-plugin certificate directories. @module */
export { type Authority, type AuthorityOptions, openAuthority } from "./authority.ts";
export type { TlsMaterial } from "./certificate.ts";
export type { KeyAlgorithm } from "./issue.ts";
export { loadMaterial } from "./material.ts";
export { checkLeafName, checkPluginId, defaultCertsDir, expandHome } from "./names.ts";
