#!/usr/bin/env node
/** A plugin that listens on a Unix socket and answers each request with 500 bytes; as thin as such a program can be. */
import { createServer } from "node:net";

const id = "bench-unix-json";

if (process.argv.includes("--metadata")) {
  console.log(JSON.stringify({ id, name: id, version: "1.0.0", author: null, icon: "", route: `/${id}` }));
} else {
  const body = "x".repeat(500);
  createServer((socket) => {
    let held: Buffer = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
        const end = 4 + held.readUInt32BE(0);
        const message = JSON.parse(held.toString("utf8", 4, end));
        held = held.subarray(end);
        const { action, request_id } = message.payload;
        if (action === "shutdown") process.exit(0);
        if (message.type === "lifecycle" || message.payload.type === "lifecycle") continue;
        const text = JSON.stringify({
          type: "http",
          timestamp: new Date().toISOString(),
          request_id,
          payload: { status: 200, headers: { "Content-Type": "text/plain" }, body },
        });
        const frame = Buffer.allocUnsafe(4 + Buffer.byteLength(text));
        frame.writeUInt32BE(frame.length - 4);
        frame.write(text, 4);
        socket.write(frame);
      }
    });
  }).listen(process.env["TORU_PLUGIN_SOCKET"]);
}
