/**
 * A peer: a gRPC server on a Unix socket that answers with the same bytes, or relays to another one without decoding.
 * Arguments: where to listen, and where to relay to.
 */
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { BULK_BYTES, ECHO_RESULT } from "../envelope.ts";
import { GRPC_OPTIONS, GRPC_PATH } from "../paths/grpc-caller.ts";
import { obeyLines } from "./lines.ts";

const [listenOn = "", relayTo] = process.argv.slice(2);
const same = (bytes: Buffer) => bytes;
const service = {
  call: {
    path: GRPC_PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
};
const upstream = relayTo === undefined ? undefined : new Client(relayTo, credentials.createInsecure(), GRPC_OPTIONS);
const echo = Buffer.from(ECHO_RESULT);
const bulk = Buffer.alloc(BULK_BYTES, "x");
const server = new Server(GRPC_OPTIONS);
server.addService(service, {
  call: (call: { request: Buffer }, callback: (error: Error | null, value?: Buffer) => void) => {
    if (upstream === undefined) callback(null, call.request.length > 1e6 ? bulk : echo);
    else upstream.makeUnaryRequest(GRPC_PATH, same, same, call.request, callback);
  },
});
server.bindAsync(listenOn, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
  obeyLines("listening");
});
