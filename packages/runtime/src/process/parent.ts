/** How often the parent is looked after, in milliseconds: reading one's parent's id costs less than a microsecond. */
const POLL_MS = 500;

/** The process that started this one. */
export interface Parent {
  /** True once it is gone. The system gives its children to another process then. */
  readonly isGone: boolean;
  /** Calls `listener` once, within half a second of its end; does not keep the process alive. */
  onGone(listener: () => void): void;
  stopWatching(): void;
}

/** A parent that never ends, for plugins that are meant to outlive whoever started them. */
export const NO_PARENT: Parent = { isGone: false, onGone: () => {}, stopWatching: () => {} };

/** Looks after the parent of this process from now on. */
export function watchParent(): Parent {
  const parentId = process.ppid;
  let timer: NodeJS.Timeout | undefined;
  const isGone = () => process.ppid !== parentId || (process.platform === "win32" && !exists(parentId));
  const stopWatching = () => clearInterval(timer);
  return {
    get isGone() {
      return isGone();
    },
    onGone(listener) {
      timer = setInterval(() => {
        if (!isGone()) return;
        stopWatching();
        listener();
      }, POLL_MS);
      timer.unref();
    },
    stopWatching,
  };
}

/** Windows leaves orphans with their dead parent. */
function exists(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}
