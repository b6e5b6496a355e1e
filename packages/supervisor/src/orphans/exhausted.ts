/** @throws the error, when it only says that this process, or the machine, has no descriptor left: the next try may be luckier */
export function rethrowExhausted(error: unknown): void {
  if (isExhausted(error)) throw error;
}

export function isExhausted(error: unknown): error is NodeJS.ErrnoException {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EMFILE" || code === "ENFILE";
}
