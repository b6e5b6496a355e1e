import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, type TestContext } from "vitest";
import {
  type StartTestHubOptions,
  startTestHub,
  type TestHub,
  type TestPlugin,
} from "../../packages/hub/src/testing/index.ts";
import { Program } from "../../packages/runtime/test/support/program.ts";
import { buildGoPeers, GO_PEERS, type GoPeer } from "./build.ts";
import { GoClient } from "./go-client.ts";

/** Built before any test is counted; undefined when the peers are ready. */
const unavailable = await buildGoPeers();

/** The same tests against every Go peer. Where Go is absent they are skipped, and say why. */
export function withEachGoPeer(name: string, tests: (peer: GoPeer) => void, peers = GO_PEERS): void {
  describe.each(peers)(`${name}: $name`, (peer) => {
    beforeEach((context: TestContext) => {
      if (unavailable !== undefined) context.skip(unavailable);
    });
    tests(peer);
  });
}

/** The plugin program of a peer, as an entry of a hub's configuration. */
export function goPlugin(peer: GoPeer, more: Partial<TestPlugin> = {}): TestPlugin {
  return { id: peer.id, binary: peer.plugin, ...more };
}

/** A hub that stops quickly and at the latest with the block that made it. */
export function startHub(options: StartTestHubOptions): Promise<TestHub> {
  return startTestHub({ shutdownMs: 1_000, termMs: 1_000, ...options });
}

/** A Go client of a hub, with a certificate of the hub's own authority. */
export async function connectGo(peer: GoPeer, hub: TestHub, name = "transport.stdio-client"): Promise<GoClient> {
  await hub.authority.leaf(name);
  return GoClient.connect(peer, { addr: hub.hub.address, certsDir: hub.authority.directory, name });
}

/** The plugin program of a peer on its own, as other hosts start it. */
export async function startGoPlugin(peer: GoPeer, flags: readonly string[], env: Record<string, string> = {}) {
  const program = new Program(peer.plugin, flags, { env });
  return { program, addr: await program.ready() };
}

/** A directory for one block. */
export function scratchDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "orchestrator-interop-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
