import { ErrorCode, HubError, MAX_FRAME_BYTES, PluginManifest, PluginResponse } from "@orchestrator/protocol";
import type { PluginState } from "@orchestrator/supervisor";
import { describe, expect, it } from "vitest";
import { cancelOf, chunk, encode, type Member, Middle, NOTHING_HELD, request, tool } from "./middle.ts";

/** One call to each of the ways in which calls end. */
const ENDINGS: Record<string, (middle: Middle) => Promise<unknown>> = {
  "an answer": (middle) => {
    middle.answer = (link, call, { requestId }) => link.send(call, encode(requestId, tool()), true);
    return middle.caller.call(request(false));
  },
  "an answer that says no, with progress before": (middle) => {
    middle.answer = (link, call, { requestId }) => {
      const progress: Member = { $case: "progress", value: { progress: 1, total: 2, message: "" } };
      link.send(call, encode(requestId, progress), false);
      link.send(call, encode(requestId, tool(false)), true);
    };
    return middle.caller.call(request(false));
  },
  "two answers, none of which is the last": (middle) => {
    middle.answer = (link, call, { requestId }) => {
      link.send(call, encode(requestId, tool()), false);
      link.send(call, encode(requestId, tool()), false);
    };
    return middle.caller.call(request(false));
  },
  garbage: (middle) => {
    middle.answer = (link, call) => link.send(call, Uint8Array.of(255, 255, 255), true);
    return middle.caller.call(request(false));
  },
  "an answer to another question": (middle) => {
    middle.answer = (link, call, { requestId }) => {
      link.send(call, encode(requestId, { $case: "health", value: { status: 1, message: "" } } as Member), false);
    };
    return middle.caller.call(request(false));
  },
  "a plugin that hangs up": (middle) => {
    middle.answer = (link, call) => link.cancel(call);
    return middle.caller.call(request(false));
  },
  "a caller that cancels": (middle) => {
    const gone = new AbortController();
    middle.answer = () => gone.abort();
    return middle.caller.call(request(false), { signal: gone.signal }).catch(() => {});
  },
  "a caller that cancels before the plugin has heard of it": (middle) => {
    middle.answer = () => {};
    const gone = new AbortController();
    const call = middle.caller.call(request(false), { signal: gone.signal }).catch(() => {});
    gone.abort();
    return call;
  },
  "a caller whose link breaks": (middle) => {
    middle.answer = () => middle.caller.link.abort(new HubError(ErrorCode.Unavailable, "gone"));
    const call = middle.caller.call(request(false)).catch(() => {});
    return call.then(() => middle.connectCaller());
  },
  "a plugin whose link breaks": (middle) => {
    middle.answer = () => middle.plugin.abort(new HubError(ErrorCode.Unavailable, "gone"));
    return middle.caller.call(request(false)).then(() => middle.connectPlugin());
  },
  "a plugin that is away": (middle) => {
    const { link } = middle.entry;
    middle.entry.link = undefined;
    return middle.caller.call(request(false)).then(() => {
      middle.entry.link = link;
    });
  },
  "a stream to its end": (middle) => {
    middle.answer = (link, call, { requestId, request: asked }) => {
      if (asked?.$case !== "streamStart") return;
      const { streamId } = asked.value;
      link.send(call, encode(requestId, chunk(100)), false);
      link.send(call, encode(requestId, { $case: "streamEnd", value: { streamId, success: true } } as Member), true);
    };
    return middle.caller.call(request(true));
  },
  "a stream that its caller cancels with a message": (middle) => {
    let end = () => {};
    middle.answer = (link, call, { requestId, request: asked }) => {
      if (asked?.$case === "streamCancel") {
        link.send(call, encode(requestId, undefined), true);
        end();
        return;
      }
      link.send(call, encode(requestId, chunk(10)), false);
      const value = { streamId: "mine", success: false };
      end = () => link.send(call, encode(requestId, { $case: "streamEnd", value } as Member), true);
      void middle.caller.call(cancelOf("mine"));
    };
    return middle.caller.call(request(true, 0, "mine"));
  },
  "a waiting call whose plugin comes": async (middle) => {
    middle.answer = (link, call, { requestId }) => link.send(call, encode(requestId, tool()), true);
    const { link } = middle.entry;
    middle.entry.link = undefined;
    const started = Promise.withResolvers<PluginState>();
    middle.entry.waker = () => started.promise;
    const call = middle.caller.call(request(false));
    await settled();
    middle.entry.link = link;
    started.resolve({ name: "ready", sinceMs: 0, startMs: 0, reason: "" });
    await call;
  },
  "a waiting call whose plugin does not come": async (middle) => {
    const { link } = middle.entry;
    middle.entry.link = undefined;
    middle.entry.waker = () => Promise.resolve({ name: "stopped", reason: "" });
    await middle.caller.call(request(false));
    middle.entry.link = link;
  },
  "a waiting call that its caller cancels": async (middle) => {
    const { link } = middle.entry;
    middle.entry.link = undefined;
    middle.entry.waker = () => new Promise(() => {});
    const gone = new AbortController();
    const call = middle.caller.call(request(true), { signal: gone.signal }).catch(() => {});
    await settled();
    gone.abort();
    await call;
    middle.entry.link = link;
  },
};

/** Everything that was on its way in memory has arrived. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
}

describe("a call holds nothing once it is over", () => {
  it.each(Object.entries(ENDINGS))("%s", async (_name, end) => {
    const middle = new Middle();
    const rounds = Number(process.env["ENDINGS"] ?? 200);
    for (let round = 0; round < rounds; round += 1) await end(middle);
    await settled();
    expect(middle.held).toEqual(NOTHING_HELD);
    // Each place was given back once: calls at the same time still get places of their own.
    const { ids: store } = middle.dispatcher;
    const bytes = Uint8Array.of(1);
    const places = Array.from({ length: 600 }, () => store.put(bytes, 0, 1));
    expect(new Set(places).size).toBe(600);
    expect(Math.max(...places)).toBeLessThan(610);
  });

  it("a deadline", async () => {
    const middle = new Middle();
    const answers = await Promise.all(
      [false, true, false, true].map((isStream) => middle.caller.call(request(isStream, 20))),
    );
    const codes = answers.map((answer) => PluginResponse.decode(answer).error?.code);
    expect(new Set(codes).size).toBe(1);
    // The hub's own words to the plugin about the streams have deadlines of their own.
    expect({ ...middle.held, deadlines: 0, ports: 0 }).toEqual(NOTHING_HELD);
    middle.plugin.abort(new HubError(ErrorCode.Unavailable, "gone"));
    await settled();
    expect(middle.held).toEqual(NOTHING_HELD);
  });
});

describe("a stream whose plugin is being started", () => {
  async function waiting() {
    const middle = new Middle();
    const started = Promise.withResolvers<PluginState>();
    const { link } = middle.entry;
    let begun = 0;
    middle.answer = () => {
      begun += 1;
    };
    middle.entry.link = undefined;
    middle.entry.waker = () => started.promise;
    const start = () => {
      middle.entry.link = link;
      started.resolve({ name: "ready", sinceMs: 0, startMs: 0, reason: "" });
    };
    return { middle, start, begun: () => begun };
  }

  it("does not begin when its caller has cancelled it with a message", async () => {
    const { middle, start, begun } = await waiting();
    const stream = middle.caller.call(request(true, 0, "mine"));
    await middle.caller.call(cancelOf("mine"));
    start();
    expect(PluginResponse.decode(await stream).error?.message).toContain("cancelled");
    await settled();
    expect([begun(), middle.held]).toEqual([0, NOTHING_HELD]);
  });

  it("does not begin when its caller has said so on its own call", async () => {
    const { middle, start, begun } = await waiting();
    const { link } = middle.caller;
    const call = link.open(request(true, 0, "mine"), false);
    link.send(call, cancelOf("mine"), true);
    await settled();
    start();
    await settled();
    expect([begun(), middle.held]).toEqual([0, NOTHING_HELD]);
  });

  it("keeps its id to itself meanwhile", async () => {
    const { middle, start, begun } = await waiting();
    void middle.caller.call(request(true, 0, "mine")).catch(() => {});
    const again = PluginResponse.decode(await middle.caller.call(request(true, 0, "mine")));
    expect(again.error?.message).toContain('"mine"');
    start();
    await settled();
    expect(begun()).toBe(1);
  });
});

describe("what an instance may that never came to serve", () => {
  it("is not left to the one that serves, on any of its connections", async () => {
    const middle = new Middle();
    middle.answer = (link, call, { requestId }) => link.send(call, encode(requestId, tool()), true);
    const own = middle.connectAsPlugin();
    const ask = async () => PluginResponse.decode(await own.call(request(false))).error?.message ?? "fine";
    expect(await ask()).toContain("may not use tool");
    const manifest = PluginManifest.fromPartial({ id: "p", needsTools: ["t"] });
    const probed = { manifest, ceiling: {}, program: "another" };
    middle.entry.announce(probed);
    expect([await ask(), await ask()]).toEqual(["fine", "fine"]);
    middle.entry.withdraw(probed);
    expect(await ask()).toContain("may not use tool");
  });
});

describe("a message that grows past the limit on its way", () => {
  it("in the middle of a stream ends the stream on both sides, with the reason", async () => {
    const middle = new Middle();
    middle.answer = (link, call, { request: asked }) => {
      if (asked?.$case !== "streamStart") return;
      // As long as can be without the id, which the hub puts in. The longer the data, the more its own length takes.
      const room = MAX_FRAME_BYTES - encode("", chunk(0)).length;
      const tooMuch = encode("", chunk(room)).length - MAX_FRAME_BYTES;
      link.send(call, encode("", chunk(room - tooMuch)), false);
    };
    const answer = PluginResponse.decode(await middle.caller.call(request(true)));
    expect(answer.error?.message).toContain(`the limit is ${MAX_FRAME_BYTES}`);
    await settled();
    expect(middle.cancelled).toBeGreaterThan(0);
    expect({ ...middle.held, ports: 0, deadlines: 0 }).toEqual(NOTHING_HELD);
  });
});
