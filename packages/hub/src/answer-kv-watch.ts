import type { KvWatcher, KvWatchItem } from "@orchestrator/store";
import { type AnswerTo, FollowedAnswer } from "./followed-answer.ts";
import { kvResponse } from "./kv-response.ts";

/**
 * One watch: tells its peer of changes. When what was there has been told, an empty message says so.
 * @param ended the watch is over; called once, unless `watch` throws
 * @throws {HubError} what `watch` throws; then nothing was begun
 */
export function answerKvWatch(to: AnswerTo, watch: (wake: () => void) => KvWatcher, ended: () => void): void {
  const watcher = watch(() => answer.wake());
  /** Taken and not yet sent. */
  let items: Iterator<KvWatchItem> = [].values();
  let isInPlace = false;
  const next = () => {
    let item = items.next();
    if (item.done === true) {
      items = watcher.take().values();
      item = items.next();
    }
    if (item.done !== true) return kvResponse(messageOf(item.value));
    if (isInPlace) return undefined;
    isInPlace = true;
    return kvResponse({});
  };
  const answer = new FollowedAnswer(to, {
    next,
    ended: () => {
      watcher.close();
      ended();
    },
  });
}

function messageOf(item: KvWatchItem): Parameters<typeof kvResponse>[0] {
  return "lagged" in item ? { lagged: true } : { entry: item.entry, removed: item.removed };
}
