import { lstat, open } from "node:fs/promises";

/** Whether anything has that name, be it a link that leads nowhere. */
export async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

/** Puts on disk what was written: a file or, where the system lets them be opened, a directory. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r").catch(() => undefined);
  if (handle === undefined) return;
  try {
    await handle.sync();
  } catch (error) {
    // Windows does not sync what is open for reading, nor directories at all.
    if ((error as NodeJS.ErrnoException).code !== "EPERM" && (error as NodeJS.ErrnoException).code !== "EISDIR")
      throw error;
  } finally {
    await handle.close();
  }
}
