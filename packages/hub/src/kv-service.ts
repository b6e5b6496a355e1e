import {
  ErrorCode,
  errorResponse,
  HubError,
  type KvEntry,
  type KvRequest,
  type KvResponse,
  RequestKind,
} from "@orchestrator/protocol";
import type { KvEntryInfo, KvStore } from "@orchestrator/store";
import type { CallId } from "@orchestrator/transport";
import { answerKvWatch } from "./answer-kv-watch.ts";
import { kvResponse } from "./kv-response.ts";
import { reply } from "./local-answers.ts";
import type { Port } from "./port.ts";
import { SingleCallLink } from "./single-call-link.ts";

/** Each watch may leave some megabytes unread, so a peer cannot have any number of them. */
const MAX_WATCHES = 64;
const NOTHING = new Uint8Array();

/** Entries of plugins, for whoever may have them: a plugin its own, gateways and the operator everybody's. */
export class KvService {
  readonly #kv: KvStore | undefined;
  /** By the caller's id. */
  readonly #watches = new Map<string, number>();

  /** @param kv absent in a hub without a store: everything is refused then */
  constructor(kv: KvStore | undefined) {
    this.#kv = kv;
  }

  /** @throws {HubError} what can be said at once; the rest is answered later */
  answer(port: Port, call: CallId, requestId: string, request: KvRequest): void {
    const kv = this.#kv;
    if (kv === undefined) throw new HubError(ErrorCode.Unimplemented, "This hub has no store: it keeps no entries");
    const namespace = namespaceFor(port, request.namespace);
    const { operation } = request;
    const answer = (value: Partial<KvResponse>) => reply(port, call, { requestId }, kvResponse(value));
    const later = (work: Promise<KvEntryInfo | undefined>) => {
      work.then(
        (entry) => answer({ entry: entry && withoutValue(entry) }),
        (reason: unknown) => {
          port.reply(call, errorResponse(RequestKind.Kv, requestId, HubError.from(reason)), true);
        },
      );
    };
    switch (operation?.$case) {
      case "get":
        answer({ entry: kv.get(namespace, operation.value.key) });
        return;
      case "set": {
        const { key, value, ttlMs, expected } = operation.value;
        later(kv.set(namespace, key, value, { ttlMs, expectedVersion: expected?.version }));
        return;
      }
      case "delete": {
        const { key, expected } = operation.value;
        later(kv.delete(namespace, key, { expectedVersion: expected?.version }));
        return;
      }
      case "list": {
        const { entries, nextKey } = kv.list(namespace, operation.value);
        answer({ entries: [...entries], nextKey });
        return;
      }
      case "watch":
        this.#watch(port, call, requestId, kv, { namespace, ...operation.value });
        return;
      default:
        throw new HubError(ErrorCode.InvalidArgument, "The request for entries names no operation that this hub knows");
    }
  }

  #watch(
    port: Port,
    call: CallId,
    requestId: string,
    kv: KvStore,
    watch: { namespace: string; prefix: string; existing: boolean },
  ): void {
    if (port.link instanceof SingleCallLink) {
      throw new HubError(ErrorCode.Unimplemented, "A TCP connection carries one answer: a watch needs a link");
    }
    const { id } = port.caller;
    const count = this.#watches.get(id) ?? 0;
    if (count >= MAX_WATCHES) {
      throw new HubError(ErrorCode.ResourceExhausted, `"${id}" has ${count} watches under way, which is the limit`);
    }
    this.#watches.set(id, count + 1);
    const ended = () => {
      const left = (this.#watches.get(id) ?? 1) - 1;
      if (left > 0) this.#watches.set(id, left);
      else this.#watches.delete(id);
    };
    try {
      const { namespace, prefix, existing } = watch;
      answerKvWatch({ port, call, requestId }, (wake) => kv.watch(namespace, { prefix, existing }, wake), ended);
    } catch (reason) {
      ended();
      throw reason;
    }
  }
}

/** The certificate says whose entries a plugin means; those who serve others say it themselves. */
function namespaceFor({ caller: { id, kind } }: Port, named: string): string {
  switch (kind) {
    case "anonymous":
      throw new HubError(ErrorCode.PermissionDenied, "A peer without a certificate has no entries");
    case "plugin":
      if (named === "" || named === id) return id;
      throw new HubError(ErrorCode.PermissionDenied, `"${id}" may not use the entries of "${named}": they are its own`);
    default:
      if (named !== "") return named;
      throw new HubError(ErrorCode.InvalidArgument, "Name the plugin whose entries are meant, as the namespace");
  }
}

function withoutValue(entry: KvEntryInfo): KvEntry {
  return { ...entry, value: NOTHING };
}
