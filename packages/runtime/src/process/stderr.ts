import { createLog, type Log } from "../log.ts";

/**
 * How many bytes may wait for a host that does not read stderr. Some hosts stop reading once a plugin is ready; a plugin
 * that waited for them would stand still for ever, and one that kept every line would grow for ever.
 */
const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * The log of a plugin process. Lines that a host does not take are dropped once 1 MiB waits, and counted: the count is
 * written as soon as there is room again.
 */
export function createStderrLog(stream: NodeJS.WriteStream = process.stderr): Log {
  let dropped = 0;
  let watched = false;
  const tell = () => {
    if (dropped === 0) return;
    const count = dropped;
    dropped = 0;
    stream.write(`warn: ${count} log lines were dropped because nobody read them\n`);
  };
  return createLog((line) => {
    if (!watched) {
      watched = true;
      // A host that closes the pipe must not end the plugin.
      stream.on("error", () => {});
      // The plugin may have nothing more to say once its host reads on, and the host is to know what it missed all the same.
      stream.on("drain", tell);
    }
    if (stream.writableLength > MAX_WAITING_BYTES) {
      dropped++;
      return;
    }
    tell();
    stream.write(line);
  });
}

/** The log of this process, for plugin code anywhere. */
export const log: Log = createStderrLog();
