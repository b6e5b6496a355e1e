import { Buffer } from "node:buffer";
import { CONNECTION_ID_BYTES } from "../engine/engine.ts";

/** RFC 9000: smaller datagrams cannot start a connection. */
export const SMALLEST_INITIAL_BYTES = 1200;
const LONG_HEADER = 0x80;
const VERSION_1 = 1;
const MAX_CONNECTION_ID_BYTES = 20;
const SMALLEST_CLIENT_CHOSEN_ID_BYTES = 8;

/** What the unencrypted part of a first packet says. */
export interface FirstPacket {
  readonly version: number;
  readonly destination: string;
  readonly source: string;
  /** Of version 1, and of the type that opens a connection. */
  readonly isInitial: boolean;
}

/** The connection id that a packet is for, as a key; undefined for what is no packet. Short packets carry no length. */
export function destinationOf(datagram: Buffer): string | undefined {
  if ((datagram[0]! & LONG_HEADER) === 0) {
    return datagram.length > CONNECTION_ID_BYTES ? datagram.toString("latin1", 1, 1 + CONNECTION_ID_BYTES) : undefined;
  }
  const length = datagram[5]!;
  return datagram.length >= 7 + length ? datagram.toString("latin1", 6, 6 + length) : undefined;
}

/** Reads a long header; undefined for anything else. */
export function readFirstPacket(datagram: Buffer): FirstPacket | undefined {
  if (datagram.length < SMALLEST_INITIAL_BYTES || (datagram[0]! & LONG_HEADER) === 0) return undefined;
  const version = datagram.readUInt32BE(1);
  const destinationEnd = 6 + datagram[5]!;
  const sourceStart = destinationEnd + 1;
  const sourceEnd = sourceStart + datagram[destinationEnd]!;
  const destination = datagram.toString("latin1", 6, destinationEnd);
  const source = datagram.toString("latin1", sourceStart, sourceEnd);
  const isInitial =
    version === VERSION_1 &&
    (datagram[0]! & 0x30) === 0 &&
    source.length <= MAX_CONNECTION_ID_BYTES &&
    destination.length <= MAX_CONNECTION_ID_BYTES &&
    destination.length >= SMALLEST_CLIENT_CHOSEN_ID_BYTES;
  return { version, destination, source, isInitial };
}

/** Tells a client that starts with a version we do not know which one we do. */
export function versionNegotiation(packet: FirstPacket): Buffer {
  return Buffer.concat([
    Buffer.from([LONG_HEADER | 0x40, 0, 0, 0, 0, packet.source.length]),
    Buffer.from(packet.source, "latin1"),
    Buffer.from([packet.destination.length]),
    Buffer.from(packet.destination, "latin1"),
    Buffer.from([0, 0, 0, VERSION_1]),
  ]);
}
