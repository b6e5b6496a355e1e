import { HubError } from "@orchestrator/protocol";
import {
  type Attachment,
  type HealthReport,
  type PluginEvent,
  PluginProcess,
  type PluginState,
  SupervisedPlugin,
  type SupervisedPluginOptions,
} from "../src/index.ts";
import { isAlive } from "../src/processes/process-stat.ts";

/** The connection to one process of a test; what the other side would do is set by the test. */
export class TestAttachment implements Attachment {
  readonly process: PluginProcess;
  heard = 0;
  inFlight = 0;
  activated = 0;
  retired = 0;
  detached = 0;
  readonly pings: PromiseWithResolvers<HealthReport>[] = [];
  /** Answers every question at once, unless it is undefined. */
  report: HealthReport | undefined = { status: "healthy", message: "" };
  readonly #lost = Promise.withResolvers<HubError>();
  readonly lost = this.#lost.promise;

  constructor(process: PluginProcess) {
    this.process = process;
  }

  lose(why: string): void {
    this.#lost.resolve(new HubError("UNAVAILABLE", why));
  }

  activate(): void {
    this.activated += 1;
  }

  retire(): void {
    this.retired += 1;
  }

  async ping(): Promise<HealthReport> {
    const answer = Promise.withResolvers<HealthReport>();
    this.pings.push(answer);
    if (this.report !== undefined) this.answer(this.report);
    return await answer.promise;
  }

  answer(report: HealthReport): void {
    this.heard += 1;
    this.pings.at(-1)?.resolve(report);
  }

  requestShutdown(): Promise<void> {
    return Promise.resolve();
  }

  detach(): void {
    this.detached += 1;
  }
}

type PlantOptions = Partial<Omit<SupervisedPluginOptions, "onState" | "onEvent">> & {
  /** Program and arguments of the nth process. */
  readonly command?: (start: number) => readonly [string, ...string[]];
  /** Prepares the connection to the nth process; what it throws fails the start. */
  readonly prepare?: (attachment: TestAttachment, start: number) => void | Promise<void>;
};

/** A supervised plugin with real processes, and a record of what happens to it. */
export class Plant implements AsyncDisposable {
  readonly states: PluginState[] = [];
  readonly events: PluginEvent[] = [];
  readonly attachments: TestAttachment[] = [];
  readonly pids: number[] = [];
  readonly plugin: SupervisedPlugin;

  constructor(options: PlantOptions = {}) {
    const { command = () => ["sleep", "1000"], prepare, ...rest } = options;
    this.plugin = new SupervisedPlugin({
      id: "test",
      launch: async () => {
        const process = await PluginProcess.launch({
          id: "test",
          command: command(this.pids.length + 1),
          cwd: "/",
          env: { PATH: globalThis.process.env["PATH"] ?? "" },
          onLine: () => {},
        });
        this.pids.push(process.pid);
        return process;
      },
      attach: async (process, signal) => {
        const attachment = new TestAttachment(process);
        await prepare?.(attachment, this.pids.length);
        signal.throwIfAborted();
        this.attachments.push(attachment);
        return attachment;
      },
      shutdownMs: 200,
      termMs: 500,
      ...rest,
      restart: { delaysMs: [1], jitter: 0, ...rest.restart },
      onState: (state) => this.states.push(state),
      onEvent: (event) => this.events.push(event),
    });
  }

  get alive(): number[] {
    return this.pids.filter(isAlive);
  }

  get stateNames(): string[] {
    return this.states.map((state) => state.name);
  }

  get eventTypes(): string[] {
    return this.events.map((event) => event.type);
  }

  /** The details of the latest event of a type. */
  details(type: string) {
    return this.events.findLast((event) => event.type === type)?.details;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.plugin.stop("the test is over");
  }
}
