/**
 * The peer: a gRPC server on a Unix socket that answers with the same bytes, or relays to another one without decoding. Prints
 * one line when it listens and stops with its stdin.
 */
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { ECHO_RESULT } from "../envelope.ts";

const [listenOn = "", relayTo] = process.argv.slice(2);
const same = (bytes: Buffer) => bytes;
const PATH = "/bench.Echo/Call";
const service = {
  call: {
    path: PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
};
const upstream = relayTo === undefined ? undefined : new Client(relayTo, credentials.createInsecure());
const echo = Buffer.from(ECHO_RESULT);
const server = new Server();
server.addService(service, {
  call: (call: { request: Buffer }, callback: (error: Error | null, value?: Buffer) => void) => {
    if (upstream === undefined) callback(null, echo);
    else upstream.makeUnaryRequest(PATH, same, same, call.request, callback);
  },
});
server.bindAsync(listenOn, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
  process.stdout.write("listening\n");
});
process.stdin.resume().once("end", () => process.exit(0));
