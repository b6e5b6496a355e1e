import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Authority, openAuthority } from "@orchestrator/identity";
import type { LinkListener } from "@orchestrator/transport";
import { listenQuic } from "@orchestrator/transport-quic";
import { FakeHub } from "./fake-hub.ts";

/** A fake hub behind a real port and real certificates. */
export class QuicHub implements AsyncDisposable {
  readonly hub = new FakeHub();
  readonly certsDir: string;
  readonly authority: Authority;
  #listener: LinkListener;

  private constructor(certsDir: string, authority: Authority, listener: LinkListener, hub: FakeHub) {
    this.certsDir = certsDir;
    this.authority = authority;
    this.#listener = listener;
    this.hub = hub;
  }

  static async start(): Promise<QuicHub> {
    const certsDir = await mkdtemp(join(tmpdir(), "transport-stdio-"));
    const authority = await openAuthority(certsDir);
    const hub = new FakeHub();
    const tls = await authority.leaf("orchestrator");
    return new QuicHub(certsDir, authority, await listenQuic("localhost:0", { tls }, hub.accept), hub);
  }

  get address(): string {
    return this.#listener.address;
  }

  /** Goes away, and gives up the port. */
  async stop(): Promise<void> {
    await this.#listener.close(0);
  }

  /** Comes back at the same port. */
  async restart(): Promise<void> {
    const { address } = this.#listener;
    this.#listener = await listenQuic(address, { tls: await this.authority.leaf("orchestrator") }, this.hub.accept);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.certsDir, { recursive: true, force: true });
  }
}
