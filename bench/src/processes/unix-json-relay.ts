/**
 * A peer: takes HTTP on a Unix socket and passes each request on to a plugin on a connection of its own, as the core does that such
 * plugins were written for. It starts the plugin itself. Argument: the socket to listen on; the plugin's is beside it.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { obeyLines } from "./lines.ts";

const listenOn = process.argv[2]!;
const socketPath = `${listenOn}.plugin`;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function forward(request: object, done: (answer: Answer) => void): void {
  const request_id = randomUUID();
  const payload = { type: "http", request_id, payload: request };
  const text = JSON.stringify({ type: "http", timestamp: new Date().toISOString(), request_id, payload });
  const frame = Buffer.allocUnsafe(4 + Buffer.byteLength(text));
  frame.writeUInt32BE(frame.length - 4);
  frame.write(text, 4);
  const socket = connect(socketPath);
  let held: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    held = Buffer.concat([held, chunk as Buffer]);
    if (held.length < 4 || held.length < 4 + held.readUInt32BE(0)) return;
    socket.end();
    done(JSON.parse(held.toString("utf8", 4, 4 + held.readUInt32BE(0))).payload);
  });
  socket.end(frame);
}

async function listening(): Promise<void> {
  for (;;) {
    const socket = connect(socketPath);
    try {
      await once(socket, "connect");
      socket.destroy();
      return;
    } catch {
      await sleep(10);
    }
  }
}

const plugin = spawn(process.execPath, [join(import.meta.dirname, "unix-json-plugin.ts")], {
  stdio: ["ignore", "ignore", "inherit"],
  env: { ...process.env, TORU_PLUGIN_SOCKET: socketPath },
});
await listening();
createServer((incoming, response) => {
  let body = "";
  incoming.setEncoding("utf8").on("data", (piece) => (body += piece));
  incoming.once("end", () => {
    const { method, url, headers } = incoming;
    forward({ method, path: url, headers, body }, (answer) =>
      response.writeHead(answer.status, answer.headers).end(answer.body),
    );
  });
}).listen(listenOn, () => obeyLines("listening", () => void plugin.kill()));
