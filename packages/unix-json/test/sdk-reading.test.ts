import * as fc from "fast-check";
import { assert, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { httpFrame, initFrame, kvFrame, shutdownFrame } from "../src/index.ts";
import { anyText } from "./any-text.ts";
import { readAsSdk, type SdkAge } from "./sdk-reading.ts";

const timestamp = "2026-01-15T10:00:00.123456789Z";
const ID = "req-1";
const init = { type: "lifecycle", action: "init", instance_id: "u", plugin_socket: "/s", log_path: "/l" };
const request = { method: "GET", path: "/", headers: {} };
const get = { action: "Get", key: "k" };
const message = (payload: object, more: object = {}) =>
  JSON.stringify({ type: "http", timestamp, request_id: ID, payload, ...more });

describe("what plugins on the SDK make of messages", () => {
  it.each([
    ["extra keys anywhere", message({ ...init, x: 1 }, { y: [] }), "init"],
    ["an outer type that differs from the inner one", message(init, { type: "kv" }), "init"],
    ["no timestamp", message(init, { timestamp: undefined }), "error"],
    ["a timestamp that is a number", message(init, { timestamp: 1 }), "error"],
    ["an inner type that is not known", message({ type: "websocket" }), "error"],
    ["another action", message({ type: "lifecycle", action: "pause" }), "silent"],
    ["init without log_path", message({ ...init, log_path: undefined }), "not initialised"],
    ["HTTP without body", message({ type: "http", request_id: ID, payload: request }), "http"],
    ["init as the documents have it", message({ ...init, type: undefined }), "error"],
    ["HTTP as the documents have it", message({ payload: request }), "error"],
    ["an outer id that is a number", message(init, { request_id: 5 }), "error"],
    ["no outer id", message(init, { request_id: undefined }), "init"],
    ["a timestamp with a space, and in lower case", message(init, { timestamp: "2026-01-15 10:00:00z" }), "init"],
    ["a month that is none", message(init, { timestamp: "2026-13-15T10:00:00Z" }), "error"],
    ["half a surrogate pair", message({ ...init, log_path: "\ud800" }), "error"],
    ["bytes that are not UTF-8", Buffer.from(message({ ...init, log_path: "\xff" }), "latin1"), "error"],
    ["garbage", "garbage", "error"],
    ["KV in lower case", message({ type: "kv", request_id: ID, action: "get", key: "k" }), "silent"],
    ["KV in lower case with a number", message({ type: "kv", request_id: ID, action: "get", value: 5 }), "error"],
    ["KV with an operation of its own", message({ type: "kv", request_id: ID, payload: get }), "silent"],
  ])("%s: %#", (_, text, is) => {
    expect(readAsSdk(text)).toMatchObject({ is });
  });
});

describe("what is sent is read as it was meant", () => {
  const read = (frame: Buffer, age?: SdkAge) => readAsSdk(frame.subarray(4), age);
  const text = anyText;

  it("init and shutdown", () => {
    expect(read(initFrame({ instanceId: "u", pluginSocket: "/s", logPath: "/l" }))).toEqual({
      is: "init",
      instanceId: "u",
      socket: "/s",
      logPath: "/l",
    });
    expect(read(shutdownFrame())).toEqual({ is: "shutdown" });
  });

  it("HTTP with any path, headers and text", () => {
    assert(
      property(text, fc.array(fc.record({ name: text, value: text })), text, (path, headers, body) => {
        const reading = read(httpFrame(ID, { method: "POST", path, headers, body: Buffer.from(body) }));
        expect(reading).toMatchObject({ is: "http", id: ID, request: { method: "POST", path } });
        if (reading.is === "http") expect(reading.request["body"] ?? "").toBe(body);
      }),
    );
  });

  it("KV with any key and value", () => {
    assert(
      property(text, text, (key, value) => {
        expect(read(kvFrame(ID, { action: "set", key, value }))).toEqual({
          is: "kv",
          id: ID,
          action: "Set",
          key,
          value,
        });
        const set = kvFrame(ID, { action: "set", key, value }, "early-sdk");
        expect(read(set, "early")).toEqual({ is: "kv", id: ID, action: "Set", key, value });
        // What early SDKs cannot read they hang up on; others are silent where they get the form of the early ones.
        expect(read(kvFrame(ID, { action: "get", key }), "early")).toEqual({ is: "error" });
        expect(read(set)).toEqual({ is: "silent" });
        expect(read(kvFrame(ID, { action: "get", key }))).toEqual({ is: "kv", id: ID, action: "Get", key });
        expect(read(kvFrame(ID, { action: "delete", key }))).toEqual({ is: "kv", id: ID, action: "Delete", key });
      }),
    );
  });
});
