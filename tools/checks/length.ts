import { type Check, read } from "./repo.ts";

/** Past this a file has a second subject. */
export const MAX_LINES = 300;

const SOURCE = /\.(?:ts|mts|mjs|js|go|py|rs|sh)$/;
const EXEMPT = /(?:^packages\/gen\/src\/|\.test\.ts$|_test\.go$|\.pb\.go$|\/gen\/)/;

/**
 * Files that are longer for now, and how long they may be: the states of a QUIC call are one table that is read together, and
 * are to be split along "who ended it" when the driver gets its second engine.
 */
const LONGER: Readonly<Record<string, number>> = { "packages/transport-quic/src/link/quic-link.ts": 460 };

/** Sources are read in one sitting. */
export const checkLength: Check = (repo) =>
  repo.files
    .filter((file) => SOURCE.test(file) && !EXEMPT.test(file))
    .flatMap((file) => {
      const lines = read(repo, file).replace(/\n$/, "").split("\n").length;
      return lines > (LONGER[file] ?? MAX_LINES)
        ? [`${file}:${MAX_LINES}: has ${lines} lines, more than ${MAX_LINES}: look for the second subject`]
        : [];
    });
