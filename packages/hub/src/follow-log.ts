import type { LogLine, PluginResponse } from "@orchestrator/protocol";
import { FollowQueue } from "./follow-queue.ts";
import { type AnswerTo, FollowedAnswer } from "./followed-answer.ts";
import type { HubLog, LogEntry } from "./hub-log.ts";

/** What a line takes beside its text: time, source, level, tags and lengths. */
const LINE_BYTES = 256;

/**
 * One `logs -f`.
 * @param source a plugin's id, or "" for all
 * @param past the lines to begin with
 */
export function followLog(to: AnswerTo, log: HubLog, source: string, past: readonly LogEntry[]): void {
  const queue = new FollowQueue<LogEntry>({
    // The log keeps no more than fits here, so none of the past lines is dropped.
    capacity: 4 * 1024 * 1024,
    perMessage: 1024 * 1024,
    sizeOf: ({ text, fields }) =>
      LINE_BYTES + Buffer.byteLength(text) + (fields === undefined ? 0 : JSON.stringify(fields).length),
    missing: (count) => {
      const text = `${count} lines were dropped because they came faster than they were read`;
      return { timeMs: Date.now(), source: "hub", level: "warn", text, fields: undefined };
    },
  });
  for (const line of past) queue.push(line);
  const unfollow = log.follow((entry) => {
    if (source !== "" && entry.source !== source) return;
    queue.push(entry);
    answer.wake();
  });
  const next = () => {
    const lines = queue.take();
    return lines && logBatch(lines);
  };
  const answer = new FollowedAnswer(to, { next, ended: unfollow });
}

export function logBatch(lines: readonly LogEntry[]): PluginResponse["response"] {
  const wire: LogLine[] = lines.map((line) => ({ ...line }));
  return { $case: "control", value: { result: { $case: "logs", value: { lines: wire } } } };
}
