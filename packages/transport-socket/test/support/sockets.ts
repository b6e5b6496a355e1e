import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory for the sockets of one test file. */
export function scratch(): { path(name: string): string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), "orchestrator-socket-"));
  return {
    path: (name) => join(directory, name),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Two connected sockets without TLS, as a descriptor that a child inherits is one. */
export async function socketPair(path: string): Promise<[connecting: Socket, accepting: Socket]> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const connecting = connect(path);
  const accepting = await accepted;
  server.close();
  return [connecting, accepting];
}
