/** A day: longer calls are background work, which has its own ways. */
const DAY_MS = 86_400_000;

export const timeoutMs = (description: string, defaultText: string) =>
  ({ kind: "count", minimum: 1, maximum: DAY_MS, description, defaultText }) as const;

const SIZE = { source: "[0-9]{1,15}(?:\\.[0-9]{1,3})?[KMGT]?(?:i?B)?", name: "a size such as 512M" };
const PROCESSORS = { source: "[0-9]{1,4}(?:\\.[0-9]{1,3})?", name: "a number of processors such as 1.5" };

/** How one plugin is kept alive, and within what. */
export const supervisionFields = {
  max_crashes: {
    kind: "count",
    minimum: 0,
    maximum: 1_000,
    description: "More crashes than this within `crash_window_ms`, and the plugin is given up until it is reset.",
    defaultText: "10",
  },
  crash_window_ms: timeoutMs("How long a crash counts.", "600000"),
  restart_mode: {
    kind: "choice",
    values: ["beside", "in_place"],
    description:
      "How an operator's restart is done: `beside` starts the new process before the old one ends and loses no call, where the plugin can be called over an inherited socket; `in_place` ends the old one first.",
    defaultText: "beside",
  },
  drain_ms: timeoutMs("How long calls that an old process has begun may go on when a new one has taken over.", "30000"),
  restart_with_dependencies: {
    kind: "flag",
    description: "Whether the plugin is restarted when one that it depends on is ready again after a crash or a stop.",
    defaultText: "false",
  },
  activation: {
    kind: "choice",
    values: ["eager", "lazy"],
    description: "`lazy` starts the plugin with the first call of something that it offers.",
    defaultText: "eager",
  },
  idle_stop_ms: {
    kind: "count",
    minimum: 0,
    maximum: DAY_MS,
    description: "A lazy plugin is stopped after so long without work; 0 is never.",
    defaultText: "300000",
  },
  health: {
    kind: "group",
    description: "How a running plugin is watched.",
    fields: {
      interval_ms: {
        kind: "count",
        minimum: 0,
        maximum: DAY_MS,
        description: "From one check to the next; 0 turns them off. A plugin that was just heard is not asked.",
        defaultText: "5000",
      },
      timeout_ms: timeoutMs("An answer that takes longer is a miss. It still counts when it comes.", "5000"),
      failures: {
        kind: "count",
        minimum: 1,
        maximum: 1_000,
        description: "So many misses in a row make a plugin unhealthy.",
        defaultText: "3",
      },
      restart: {
        kind: "flag",
        description: "Whether a plugin that is unhealthy by its silence is ended and started again.",
        defaultText: "true",
      },
      busy_ms: timeoutMs(
        "With calls in flight, a plugin may be silent for so long before it is ended.",
        "call_timeout_ms",
      ),
    },
  },
  circuit: {
    kind: "group",
    description: "How long a plugin is called that gives no proper answers.",
    fields: {
      failures: {
        kind: "count",
        minimum: 0,
        maximum: 1_000,
        description:
          "So many calls of one caller in a row without a proper answer, and its next calls are answered at once with UNAVAILABLE; 0 is never.",
        defaultText: "10",
      },
      cool_down_ms: timeoutMs(
        "After so long one call is let through as a trial. Twice as long after each that fails, up to 30 s.",
        "1000",
      ),
    },
  },
  limits: {
    kind: "group",
    description: "What the plugin's processes may use together, where control groups of the system allow it.",
    fields: {
      memory: {
        kind: "text",
        pattern: SIZE,
        description: "Memory in bytes, or with K, M, G or T (times 1024). A plugin that wants more is ended.",
        defaultText: "no limit",
      },
      cpu: {
        kind: "text",
        pattern: PROCESSORS,
        description: "Processors' time: 1 is one whole processor, 0.5 half of one.",
        defaultText: "no limit",
      },
      processes: {
        kind: "count",
        minimum: 1,
        maximum: 4_194_304,
        description: "Processes and threads at one time. Node alone has about a dozen.",
        defaultText: "no limit",
      },
    },
  },
} as const;
