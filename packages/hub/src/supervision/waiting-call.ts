import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { PluginState } from "@orchestrator/supervisor";
import { describeState } from "@orchestrator/supervisor";
import type { CallId } from "@orchestrator/transport";
import type { DeadlineWheel, Timed } from "../deadline-wheel.ts";
import type { PluginEntry } from "../plugin-entry.ts";
import type { Port, PortCall } from "../port.ts";

export interface WaitingCallInit {
  readonly port: Port;
  readonly call: CallId;
  readonly plugin: PluginEntry;
  /** What is called, for messages. */
  readonly label: string;
  readonly wheel: DeadlineWheel;
  readonly timeoutMs: number;
  /** A streaming tool: the caller may stop it before it has begun. */
  readonly isStream: boolean;
  /** Resolves with what became of the start. */
  readonly started: Promise<PluginState>;
  /** The plugin serves. @param waitedMs how much of the deadline is used up */
  readonly go: (waitedMs: number) => void;
  readonly refuse: (error: HubError) => void;
  /** Called once, before `go` and `refuse`, and also when the caller gave up. */
  readonly over: () => void;
}

/** A call whose plugin is being started. It goes on when the plugin serves, within its deadline, and is told why it cannot. */
export class WaitingCall implements PortCall, Timed {
  wheelPrevious: Timed | undefined = undefined;
  wheelNext: Timed | undefined = undefined;
  wheelTick = -1;
  readonly #init: WaitingCallInit;
  readonly #since = performance.now();
  #isOver = false;

  constructor(init: WaitingCallInit) {
    this.#init = init;
    init.port.attach(init.call, this);
    init.wheel.add(this, init.timeoutMs);
    init.started.then(
      (state) => this.#started(state),
      (reason: unknown) => this.#end(HubError.from(reason)),
    );
  }

  message(port: Port, call: CallId, payload: Uint8Array, last: boolean): void {
    if (!last) port.link.credit(call, payload.length);
    // As for one that is under way: all that a caller may add is the wish to stop it.
    if (this.#init.isStream && payload.length > 0) this.cancelByCaller();
  }

  /** The caller does not want its stream any more; there is nothing yet that could be stopped but the wait. */
  cancelByCaller(): void {
    this.#end(new HubError(ErrorCode.Cancelled, `${this.#init.label} was cancelled before it had begun`));
  }

  cancelled(): void {
    this.#end(undefined);
  }

  drained(): void {}

  expired(): void {
    const { plugin, label, timeoutMs } = this.#init;
    const what = `Plugin "${plugin.id}" was not ready for ${label} within ${timeoutMs} ms: it is ${plugin.supervised.state.name}`;
    this.#end(new HubError(ErrorCode.DeadlineExceeded, what));
  }

  #started(state: PluginState): void {
    if (this.#isOver) return;
    const { plugin, label, go } = this.#init;
    if (plugin.link === undefined) {
      const [why = ""] = describeState(state).split("\n");
      const what = `Plugin "${plugin.id}" provides ${label} but is ${state.name}${why === "" ? "" : `: ${why}`}`;
      this.#end(new HubError(ErrorCode.Unavailable, what));
      return;
    }
    this.#leave();
    go(performance.now() - this.#since);
  }

  #end(error: HubError | undefined): void {
    if (this.#isOver) return;
    this.#leave();
    if (error !== undefined) this.#init.refuse(error);
  }

  #leave(): void {
    const { port, call, wheel, over } = this.#init;
    this.#isOver = true;
    wheel.remove(this);
    port.forget(call);
    over();
  }
}
