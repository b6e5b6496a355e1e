/** Answers every request on "bench" with the same bytes. Argument: where the server is. */
import { ECHO_RESULT } from "../envelope.ts";
import { NatsClient } from "../paths/nats-client.ts";
import { obeyLines } from "./lines.ts";

const client = await NatsClient.connect(process.argv[2] ?? "");
client.subscribe("bench", (_subject, reply) => client.publish(reply, "", ECHO_RESULT));
await client.flush();
obeyLines("listening");
