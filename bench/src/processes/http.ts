/** A peer: JSON over HTTP on a Unix socket, answered or relayed (parsed and written again). Arguments as grpc.ts. */
import { Agent, createServer, request } from "node:http";
import { obeyLines } from "./lines.ts";

const [listenOn = "", relayTo] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const echo = JSON.stringify({ success: true, result: { text: "x".repeat(500) } });
const headers = { "content-type": "application/json" };

function forward(body: string, done: (answer: string) => void): void {
  const upstream = request({ socketPath: relayTo, method: "POST", agent, headers }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (piece) => (text += piece));
    response.once("end", () => done(text));
  });
  upstream.end(body);
}

createServer((incoming, response) => {
  let body = "";
  incoming.setEncoding("utf8").on("data", (piece) => (body += piece));
  incoming.once("end", () => {
    const message = JSON.parse(body) as Record<string, unknown>;
    const answer = (text: string) => response.writeHead(200, headers).end(text);
    if (relayTo === undefined) answer(echo);
    // A relay that routes must read the name, and stamps who called.
    else forward(JSON.stringify({ ...message, caller: "bench" }), (text) => answer(JSON.stringify(JSON.parse(text))));
  });
}).listen(listenOn, () => obeyLines("listening"));
