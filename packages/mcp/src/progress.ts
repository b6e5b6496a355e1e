import type { Progress } from "./backend.ts";
import { isObject } from "./json.ts";
import { notificationText, type Params } from "./jsonrpc.ts";
import type { Revision } from "./revision.ts";
import { invalidParams } from "./rpc-error.ts";

/**
 * @returns the token under which the client wants to hear of progress, if it does
 * @throws {RpcError} invalid parameters, where `_meta` or the token has the wrong type
 */
export function progressToken(params: Params): string | number | undefined {
  const meta = params["_meta"];
  if (meta === undefined || meta === null) return undefined;
  if (!isObject(meta)) throw invalidParams('"_meta" must be an object');
  const token = meta["progressToken"];
  if (token === undefined || token === null) return undefined;
  if (typeof token === "string" || Number.isSafeInteger(token)) return token as string | number;
  throw invalidParams('"progressToken" must be a string or an integer');
}

/** Writes progress as notifications that always grow; what does not grow, or is no number, is dropped. */
export function progressReporter(
  token: string | number,
  revision: Revision,
  send: (text: string) => void,
): (progress: Progress) => void {
  let last = Number.NEGATIVE_INFINITY;
  return ({ progress, total, message }) => {
    if (!Number.isFinite(progress) || progress <= last) return;
    last = progress;
    const end = total !== undefined && Number.isFinite(total) && total > 0 ? total : undefined;
    const line = revision.progressMessages && message !== "" ? message : undefined;
    send(notificationText("notifications/progress", { progressToken: token, progress, total: end, message: line }));
  };
}
