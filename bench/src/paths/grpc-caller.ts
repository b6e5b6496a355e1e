import { Client, credentials } from "@grpc/grpc-js";
import { BULK_BYTES, TOOL_CALL } from "../envelope.ts";
import type { StartCall } from "../measure.ts";
import type { Calls } from "./load.ts";

export const GRPC_PATH = "/bench.Echo/Call";
/** Without them messages end at 4 MiB. */
export const GRPC_OPTIONS = {
  "grpc.max_receive_message_length": 32 * 1024 * 1024,
  "grpc.max_send_message_length": 32 * 1024 * 1024,
};

/** Calls over one gRPC channel. */
export function grpcCaller(target: string): Calls & { close(): void } {
  const client = new Client(target, credentials.createInsecure(), GRPC_OPTIONS);
  const same = (bytes: Buffer) => bytes;
  const starter =
    (request: Buffer): StartCall =>
    (done) => {
      client.makeUnaryRequest(GRPC_PATH, same, same, request, (error) => {
        if (error !== null) throw error;
        done();
      });
    };
  return {
    small: starter(Buffer.from(TOOL_CALL)),
    bulk: starter(Buffer.alloc(BULK_BYTES, "x")),
    close: () => client.close(),
  };
}
