import { ErrorCode } from "@orchestrator/protocol";
import * as fc from "fast-check";
import { assert, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { anyText } from "../../test/any-text.ts";
import { readHttpAnswer, readKvAnswer } from "./decode.ts";
import { httpFrame, initFrame, kvFrame, shutdownFrame } from "./encode.ts";

const ID = "8d6c1e1a-53a5-4b49-9a0e-2f6f0a1f6c11";
const bytes = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
/** What a frame says, its length checked, its timestamp proved and taken out. */
function said(frame: Buffer): unknown {
  expect(frame.readUInt32BE(0)).toBe(frame.length - 4);
  const { timestamp, ...rest } = JSON.parse(frame.subarray(4).toString());
  expect(timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  return rest;
}
const header = (name: string, value: string) => ({ name, value });
const code = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "";
};

describe("what is sent", () => {
  it("init and shutdown, for readers with and without a discriminator", () => {
    expect(said(initFrame({ instanceId: "u", pluginSocket: "/s", logPath: "/l" }))).toEqual({
      type: "lifecycle",
      request_id: null,
      payload: { type: "lifecycle", action: "init", instance_id: "u", plugin_socket: "/s", log_path: "/l" },
    });
    expect(said(shutdownFrame())).toEqual({
      type: "lifecycle",
      request_id: null,
      payload: { type: "lifecycle", action: "shutdown" },
    });
  });

  it("HTTP, with the id outside and inside, the query in the path, an empty body as null", () => {
    const request = { method: "GET", path: "/a/b?x=1&y=%20", headers: [], body: new Uint8Array() };
    expect(said(httpFrame(ID, request))).toEqual({
      type: "http",
      request_id: ID,
      payload: {
        type: "http",
        request_id: ID,
        payload: { method: "GET", path: "/a/b?x=1&y=%20", headers: {}, body: null },
      },
    });
  });

  it("headers in lower case, repeated ones joined where HTTP allows it, the last one where it does not", () => {
    const headers = [
      header("Accept", "a"),
      header("accept", "b"),
      header("Cookie", "x=1"),
      header("cookie", "y=2"),
      header("Content-Type", "text/plain"),
      header("content-type", "application/json"),
      header("__proto__", "p"),
    ];
    const frame = httpFrame(ID, { method: "POST", path: "/", headers, body: bytes("ü") });
    expect(said(frame)).toMatchObject({
      payload: {
        payload: {
          body: "ü",
          headers: { accept: "a, b", cookie: "x=1; y=2", "content-type": "application/json", ["__proto__"]: "p" },
        },
      },
    });
  });

  it("no body that is not UTF-8, and none that is too long", () => {
    const request = { method: "POST", path: "/", headers: [] };
    expect(code(() => httpFrame(ID, { ...request, body: Buffer.from([0xff]) }))).toBe(ErrorCode.InvalidArgument);
    const long = Buffer.alloc(16 * 1024 * 1024, "x");
    expect(code(() => httpFrame(ID, { ...request, body: long }))).toBe(ErrorCode.FrameTooLarge);
  });

  it("KV, for the SDK and Python in one, for early SDKs and the documents in their own forms", () => {
    expect(said(kvFrame(ID, { action: "set", key: "k", value: "v" }))).toEqual({
      type: "kv",
      request_id: ID,
      payload: {
        type: "kv",
        request_id: ID,
        action: "Set",
        key: "k",
        value: "v",
        payload: { action: "set", key: "k", value: "v" },
      },
    });
    expect(said(kvFrame(ID, { action: "get", key: "k" }, "docs"))).toEqual({
      type: "kv",
      request_id: ID,
      payload: { type: "kv", request_id: ID, action: "get", key: "k" },
    });
    expect(said(kvFrame(ID, { action: "set", key: "k", value: "v" }, "early-sdk"))).toEqual({
      type: "kv",
      request_id: ID,
      payload: { type: "kv", request_id: ID, payload: { action: "Set", key: "k", value: "v" } },
    });
    expect(said(kvFrame(ID, { action: "delete", key: "k" }))).toMatchObject({ payload: { action: "Delete" } });
  });
});

const sdk = (body: unknown, inside: unknown = ID) => ({
  type: "http",
  timestamp: "t",
  request_id: ID,
  payload: {
    type: "http",
    request_id: inside,
    payload: {
      method: "RESPONSE",
      path: "",
      headers: {},
      body: typeof body === "string" ? body : JSON.stringify(body),
    },
  },
});
const answer = (payload: object, outside: unknown = ID) => ({ type: "http", request_id: outside, payload });
const read = (message: unknown) => {
  const { value, ...rest } = readHttpAnswer(bytes(message), ID);
  return { ...rest, ...value, body: Buffer.from(value.body).toString() };
};

describe("an HTTP answer", () => {
  const response = { status: 201, headers: { "Content-Type": "text/plain" }, body: "hi ü" };
  it.each([
    ["JSON in the body of a request", sdk(response)],
    ["the status right in the payload", answer(response)],
    ["the response below http", answer({ http: response })],
    ["unknown keys everywhere", { ...sdk({ ...response, extra: [1] }), more: { status: 99 } }],
    ["an outer type that is wrong", { ...sdk(response), type: "kv" }],
    ["no timestamp", { ...sdk(response), timestamp: undefined }],
    ["an id inside alone", { ...sdk(response), request_id: null }],
    ["an id outside alone", answer(response)],
  ])("is read: %s", (_, message) => {
    expect(read(message)).toEqual({
      status: 201,
      headers: [{ name: "content-type", value: "text/plain" }],
      body: "hi ü",
      hasId: true,
      remarks: [],
    });
  });

  it("has an order: what stands in the body goes before what stands beside it", () => {
    const message = sdk({ status: 200, body: "inner" });
    expect(read({ ...message, payload: { ...message.payload, status: 500, http: { status: 501 } } }).body).toBe(
      "inner",
    );
    expect(read(answer({ status: 202, http: { status: 501 } })).status).toBe(202);
    // A body that happens to be JSON without a status is no response.
    expect(read(answer({ status: 203, payload: { body: '{"a":1}' } })).status).toBe(203);
  });

  it.each([
    ["not JSON", "oops", 500, ""],
    ["empty", "", 500, ""],
    ["JSON without a status", { body: "text", headers: { a: "b" } }, 500, "text"],
    ["a status that is a text", { status: "200", body: "text" }, 500, "text"],
    ["a status that is no whole number", { status: 200.5 }, 500, ""],
    ["a negative status", { status: -1 }, 500, ""],
  ])("in the form of a request whose inner text is %s becomes 500", (_, body, status, text) => {
    const found = read(sdk(body));
    expect([found.status, found.body, found.remarks.length > 0]).toEqual([status, text, true]);
  });

  it.each([
    [{ status: 200, body: null }, ""],
    [{ status: 200 }, ""],
    [{ status: 200, body: { a: [1, "x"] } }, '{"a":[1,"x"]}'],
    [{ status: 200, body: 7 }, "7"],
    [{ status: 200, body: "\ufeffx" }, "\ufeffx"],
  ])("has a body: %j", (inner, text) => {
    expect([read(sdk(inner)).body, read(answer(inner)).body]).toEqual([text, text]);
  });

  it("keeps repeated headers, and leaves out what is none", () => {
    const headers = {
      "Set-Cookie": ["a=1", "b=2"],
      "X-Number": 5,
      "bad name": "x",
      "x-line": "a\r\nset-cookie: evil",
      "x-null": null,
      "x-wide": "\u20ac",
      "x-latin": "é",
    };
    expect(read(answer({ status: 200, headers }))).toMatchObject({
      headers: [
        header("set-cookie", "a=1"),
        header("set-cookie", "b=2"),
        header("x-number", "5"),
        header("x-latin", "é"),
      ],
      remarks: ["4 of its headers are none"],
    });
    expect(read(answer({ status: 200, headers: "x" }))).toMatchObject({ headers: [] });
  });

  it.each([
    ["bytes that are not UTF-8", Buffer.from([0x7b, 0xff, 0x7d])],
    ["nothing", Buffer.alloc(0)],
    ["no JSON", bytes("hello")],
    ["a list", bytes([])],
    ["null", bytes("null")],
    ["no payload", bytes({ request_id: ID })],
    ["a payload that is a list", bytes({ request_id: ID, payload: [1] })],
    ["neither a status nor a response", bytes(answer({ type: "http" }))],
    ["a store's answer", bytes(answer({ type: "kv", value: "x" }))],
    ["a status that is none", bytes(answer({ status: 42 }))],
    ["a status beyond", bytes(answer({ status: 65_736 }))],
    ["another id outside", bytes({ ...sdk({ status: 200 }), request_id: "other" })],
    ["another id inside", bytes(sdk({ status: 200 }, "other"))],
    ["an id that is a number", bytes(answer({ status: 200 }, 7))],
    ["a status that is only inherited", bytes('{"request_id":null,"payload":{"__proto__":{"status":200}}}')],
  ])("is refused: %s", (_, frame) => {
    expect(code(() => readHttpAnswer(frame, ID))).toBe(ErrorCode.Protocol);
  });

  it("without any id is taken, and said to have none", () => {
    expect(read({ payload: { status: 200 } }).hasId).toBe(false);
    expect(read(answer({ status: 200 }, null)).hasId).toBe(false);
  });
});

describe("an answer of a store", () => {
  const kv = (payload: object) => readKvAnswer(bytes({ type: "kv", request_id: ID, payload }), ID).value;
  it("is read in every form, that of an HTTP message included", () => {
    expect(kv({ type: "kv", request_id: ID, value: "v" })).toBe("v");
    expect(kv({ type: "kv", request_id: ID, value: null })).toBeNull();
    expect(kv({ value: "v" })).toBe("v");
    expect(kv({ type: "kv", request_id: ID })).toBeNull();
    expect(readKvAnswer(bytes(sdk({ value: "0" })), ID).value).toBe("0");
    expect(readKvAnswer(bytes(sdk({ value: null })), ID).value).toBeNull();
  });

  it.each([
    ["no value", {}],
    ["a number", { value: 5 }],
    ["an object", { value: {} }],
    ["an HTTP response", { status: 404 }],
  ])("is refused: %s", (_, payload) => {
    expect(code(() => kv(payload))).toBe(ErrorCode.Protocol);
  });
});

describe("whatever a plugin sends", () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map(bytes),
    fc
      .record({
        request_id: fc.option(fc.oneof(fc.constant(ID), fc.jsonValue())),
        payload: fc.record(
          {
            type: fc.jsonValue(),
            request_id: fc.constantFrom(ID, null, "x"),
            status: fc.jsonValue(),
            headers: fc.jsonValue(),
            body: fc.jsonValue(),
            value: fc.jsonValue(),
            http: fc.jsonValue(),
            payload: fc.record({ method: fc.string(), body: fc.oneof(fc.json(), fc.string()) }),
          },
          { requiredKeys: [] },
        ),
      })
      .map(bytes),
  );
  it("comes out as an answer that can be passed on, or as PROTOCOL, and as nothing else", () => {
    assert(
      property(anything, (frame) => {
        for (const decode of [readHttpAnswer, readKvAnswer] as const) {
          try {
            const { value } = decode(frame, ID);
            if (value === null || typeof value === "string") continue;
            expect(value.status).toBeGreaterThanOrEqual(100);
            expect(value.status).toBeLessThan(600);
            for (const { name, value: text } of value.headers) expect(`${name}: ${text}`).not.toMatch(/[\r\n\0]/);
          } catch (error) {
            if ((error as { code?: string }).code !== ErrorCode.Protocol) throw error;
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("is what was sent, for every text and every status, in each form", () => {
    const response = fc.record({
      status: fc.integer({ min: 100, max: 599 }),
      body: anyText,
    });
    assert(
      property(response, (inner) => {
        for (const message of [sdk(inner), answer(inner), answer({ http: inner })]) {
          const found = read(message);
          expect([found.status, found.body]).toEqual([inner.status, inner.body]);
        }
      }),
    );
  });

  it("goes the other way without loss", () => {
    assert(
      property(anyText, fc.uint8Array(), (path, body) => {
        const request = { method: "POST", path: `/${path}`, headers: [], body };
        let frame: Buffer;
        try {
          frame = httpFrame(ID, request);
        } catch (error) {
          expect((error as { code: string }).code).toBe(ErrorCode.InvalidArgument);
          return;
        }
        const inner = JSON.parse(frame.subarray(4).toString()).payload.payload;
        expect(inner.path).toBe(request.path);
        expect(Buffer.from(inner.body ?? "")).toEqual(Buffer.from(body));
      }),
    );
  });
});
