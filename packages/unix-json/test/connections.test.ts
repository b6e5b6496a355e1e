import type { Socket } from "node:net";
import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { Driver, errorOf, httpOf } from "./driver.ts";
import { type Behave, type Json, StandIn, type StandInOptions, sdkAnswer } from "./stand-in.ts";

const paths = (count: number) => Array.from({ length: count }, (_, index) => `/${index}`);
const pathOf = (message: Json): string => message["payload"].payload.path;
const answerTo = (message: Json) => sdkAnswer(message["request_id"], { status: 200, body: pathOf(message) });

/** Answers with the path, a turn of the loop later; knows how many questions it had at once. */
class Echo {
  most = 0;
  #now = 0;
  readonly behave: Behave = (message, socket) => {
    this.most = Math.max(this.most, ++this.#now);
    setImmediate(() => {
      this.#now -= 1;
      socket.write(answerTo(message));
    });
  };

  async listen(options: StandInOptions = {}): Promise<StandIn> {
    return await StandIn.listen(this.behave, options);
  }
}

/** Everything at once. @returns the paths in the order in which they were answered */
async function ask(hub: Driver, asked: readonly string[], method = "GET"): Promise<string[]> {
  const order: string[] = [];
  const calls = asked.map(async (path) => {
    expect((await httpOf(hub.http({ method, path }).ended)).body).toBe(path);
    order.push(path);
  });
  await Promise.all(calls);
  return order;
}

/** One question with nothing after it: from what becomes of its connection the link learns whether the plugin keeps them. */
async function learn(hub: Driver, plugin: StandIn): Promise<void> {
  await ask(hub, ["/first"]);
  await expect.poll(() => plugin.open.size).toBe(0);
}

describe("a plugin that serves its connections one after the other", () => {
  it("is asked on one while others wait, in their order, if the hub was told so", async () => {
    const echo = new Echo();
    await using plugin = await echo.listen();
    using hub = new Driver(plugin.path, { connections: 1 });
    expect(await ask(hub, paths(100))).toEqual(paths(100));
    expect([echo.most, plugin.connections]).toEqual([1, 1]);
  });

  it("is found out to do so by one question, which does not wait for long", async () => {
    const echo = new Echo();
    await using plugin = await echo.listen();
    using hub = new Driver(plugin.path);
    const order = await ask(hub, paths(200));
    expect(echo.most).toBe(1);
    // The one with the question and one to look; then the question's.
    expect(plugin.connections).toBe(2);
    for (const [place, path] of order.entries()) expect(place - Number(path.slice(1))).toBeLessThanOrEqual(70);
  });
});

describe("a plugin that is slow", () => {
  it("is not looked at for so long that a question's time ends in it", async () => {
    await using plugin = await StandIn.listen((message, socket) => {
      setTimeout(() => void socket.write(answerTo(message)), 40);
    });
    using hub = new Driver(plugin.path, { httpTimeoutMs: 2_000 });
    await learn(hub, plugin);
    // Somebody always waits, for longer than a question may take.
    let left = 90;
    const caller = async () => {
      while (left-- > 0) await ask(hub, [`/${left}`]);
    };
    await Promise.all(Array.from({ length: 5 }, caller));
    expect(plugin.messages).toHaveLength(91);
  });
});

describe("a plugin that hangs up on connections for which it has no room", () => {
  it.runIf(process.platform === "linux").each([1, 3])("is asked on %d, and no question is lost", async (room) => {
    const echo = new Echo();
    await using plugin = await echo.listen({ hands: Number.POSITIVE_INFINITY, room });
    using hub = new Driver(plugin.path);
    await learn(hub, plugin);
    expect((await ask(hub, paths(200), "POST")).sort()).toEqual(paths(200).sort());
    expect(plugin.messages).toHaveLength(201);
    expect(echo.most).toBeLessThanOrEqual(room);
    // It is not tried again and again.
    expect(plugin.connections).toBeLessThanOrEqual(20);
  });
});

describe("a plugin that serves several connections", () => {
  it("is found out to do so, and is asked many questions at once", async () => {
    const echo = new Echo();
    await using plugin = await echo.listen({ hands: Number.POSITIVE_INFINITY });
    using hub = new Driver(plugin.path);
    expect((await ask(hub, paths(200))).sort()).toEqual(paths(200).sort());
    expect(echo.most).toBeGreaterThan(4);
    expect(echo.most).toBeLessThanOrEqual(16);
    expect(plugin.connections).toBeLessThanOrEqual(40);
  });

  it("is asked one at a time where the hub was told so", async () => {
    const echo = new Echo();
    await using plugin = await echo.listen({ hands: Number.POSITIVE_INFINITY });
    using hub = new Driver(plugin.path, { connections: 1 });
    await ask(hub, paths(50));
    expect([echo.most, plugin.connections]).toEqual([1, 1]);
  });

  it("but fewer than are open starves none, however many ask", async () => {
    const echo = new Echo();
    await using plugin = await echo.listen({ hands: 2 });
    using hub = new Driver(plugin.path);
    const order = await ask(hub, paths(250));
    expect(echo.most).toBeLessThanOrEqual(2);
    // It was found to serve more than one, and then to serve no more than it does.
    expect(plugin.connections).toBeGreaterThan(2);
    // Each waits for a few answers of each other connection, whatever is asked meanwhile.
    for (const [place, path] of order.entries()) expect(place - Number(path.slice(1))).toBeLessThanOrEqual(200);
  });

  it("waits for a slow answer with one connection, and goes on with the others", async () => {
    let finish = () => {};
    const isSlow = (message: Json) => pathOf(message) === "/slow";
    await using plugin = await StandIn.listen(
      (message, socket) => {
        if (isSlow(message)) finish = () => void socket.write(answerTo(message));
        else socket.write(answerTo(message));
      },
      { hands: Number.POSITIVE_INFINITY },
    );
    using hub = new Driver(plugin.path);
    await ask(hub, paths(50));
    const slow = httpOf(hub.get("/slow").ended);
    expect(await ask(hub, paths(200))).toHaveLength(200);
    finish();
    expect((await slow).body).toBe("/slow");
  });
});

describe("what must not be asked twice", () => {
  it("has connections of its own while nobody knows whether the plugin keeps them, which soon shows", async () => {
    const echo = new Echo();
    await using plugin = await echo.listen({ hands: Number.POSITIVE_INFINITY });
    using hub = new Driver(plugin.path, { connections: 1 });
    await ask(hub, paths(3), "POST");
    expect(plugin.connections).toBe(3);
    // However busy it is meanwhile.
    if (process.platform === "linux") {
      let known = false;
      while (!known) {
        const before = plugin.connections;
        await ask(hub, paths(100), "POST");
        known = plugin.connections - before <= 2;
      }
    }
  });

  it("shares one with a plugin that keeps them", async () => {
    const echo = new Echo();
    await using plugin = await echo.listen();
    using hub = new Driver(plugin.path, { connections: 1 });
    await learn(hub, plugin);
    await ask(hub, paths(10), "POST");
    expect(plugin.connections).toBe(process.platform === "linux" ? 2 : 11);
  });

  const hangUps: readonly (readonly [string, (socket: Socket, answer: Buffer) => void])[] = [
    ["and reads on", (socket, answer) => socket.end(answer)],
    ["at once", (socket, answer) => socket.write(answer, () => socket.destroy())],
  ];
  it.each(hangUps)("is asked once, and answered, by a plugin that hangs up after each answer %s", async (_, end) => {
    await using plugin = await StandIn.listen((message, socket) => end(socket, answerTo(message)));
    using hub = new Driver(plugin.path);
    await learn(hub, plugin);
    expect((await ask(hub, paths(20), "POST")).sort()).toEqual(paths(20).sort());
    expect(plugin.messages).toHaveLength(21);
    await ask(hub, paths(20));
    expect(plugin.messages).toHaveLength(41);
  });

  it("loses no other question either, where the first of those that wait is put on such a connection", async () => {
    await using plugin = await StandIn.listen((message, socket) => void socket.end(answerTo(message)));
    using hub = new Driver(plugin.path);
    expect((await ask(hub, paths(20))).sort()).toEqual(paths(20).sort());
    // One, at most, was put on a connection that was about to close; it could be repeated.
    expect(plugin.messages.length).toBeLessThanOrEqual(21);
  });

  it.runIf(process.platform === "linux")("is asked again where the plugin has not read it", async () => {
    let hangUp = () => {};
    await using plugin = await StandIn.listen((message, socket) => {
      if (pathOf(message) === "/0") {
        // It reads no more, and ends when told to: what comes next is never read.
        socket.pause();
        hangUp = () => void socket.destroy();
      }
      socket.write(answerTo(message));
    });
    using hub = new Driver(plugin.path, { connections: 1 });
    await learn(hub, plugin);
    const [first, second] = paths(2).map((path) => httpOf(hub.http({ method: "POST", path }).ended));
    expect((await first!).body).toBe("/0");
    hangUp();
    expect((await second!).body).toBe("/1");
    expect(plugin.messages.map(pathOf)).toEqual(["/first", "/0", "/1"]);
  });

  it("fails where the plugin has read it and hung up, and is not asked again", async () => {
    await using plugin = await StandIn.listen((message, socket) => {
      if (pathOf(message) === "/1") socket.destroy();
      else socket.write(answerTo(message));
    });
    using hub = new Driver(plugin.path, { connections: 1 });
    await learn(hub, plugin);
    const [first, second, third] = paths(3).map((path) => hub.http({ method: "POST", path }).ended);
    expect((await httpOf(first!)).body).toBe("/0");
    expect(await errorOf(second!)).toMatchObject({
      code: ErrorCode.Unavailable,
      message: expect.stringContaining("closed the connection without an answer"),
    });
    expect((await httpOf(third!)).body).toBe("/2");
    expect(plugin.messages.map(pathOf)).toEqual(["/first", "/0", "/1", "/2"]);
  });
});
