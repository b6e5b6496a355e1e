import { type Check, read } from "./repo.ts";

/** Past this a file has a second subject. */
export const MAX_LINES = 300;

const SOURCE = /\.(?:ts|mts|mjs|js|go|py|rs|sh)$/;
const EXEMPT = /(?:^packages\/gen\/src\/|\.test\.ts$|_test\.go$|\.pb\.go$|\/gen\/)/;

/** Sources are read in one sitting. */
export const checkLength: Check = (repo) =>
  repo.files
    .filter((file) => SOURCE.test(file) && !EXEMPT.test(file))
    .flatMap((file) => {
      const lines = read(repo, file).replace(/\n$/, "").split("\n").length;
      return lines > MAX_LINES
        ? [`${file}:${MAX_LINES}: has ${lines} lines, more than ${MAX_LINES}: look for the second subject`]
        : [];
    });
