import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuthority } from "@orchestrator/identity";
import type { TlsMaterial } from "@orchestrator/transport";

export interface TestMaterial {
  /** Of a hub and of a plugin, from one authority. */
  readonly server: TlsMaterial;
  readonly client: TlsMaterial;
  /** From an authority that nobody trusts. */
  readonly foreign: TlsMaterial;
}

/** Fresh certificates; the directories are gone when this returns. */
export async function testMaterial(algorithm: "ed25519" | "ecdsa-p256" = "ed25519"): Promise<TestMaterial> {
  const root = await mkdtemp(join(tmpdir(), "quic-test-"));
  try {
    const own = await openAuthority(join(root, "own"), { algorithm });
    const other = await openAuthority(join(root, "other"), { algorithm });
    return {
      server: await own.leaf("orchestrator"),
      client: await own.leaf("plugin-client"),
      foreign: await other.leaf("plugin-client"),
    };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
