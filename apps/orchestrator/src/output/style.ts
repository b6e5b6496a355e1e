/** Text with emphasis, or without where nobody would see it. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

const plain = (text: string): string => text;

/**
 * Whether to colour: the first of NO_COLOR (any value) and FORCE_COLOR (any value but 0 and false) that is set decides; else a
 * terminal gets colour, unless it calls itself dumb.
 */
export function wantsColor(env: Readonly<Record<string, string | undefined>>, isTTY: boolean | undefined): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  const force = env["FORCE_COLOR"];
  if (force !== undefined) return force !== "0" && force !== "false";
  return isTTY === true && env["TERM"] !== "dumb";
}

export function createStyle(color: boolean): Style {
  const wrap = (open: number, close: number) =>
    color ? (text: string) => (text === "" ? "" : `\x1b[${open}m${text}\x1b[${close}m`) : plain;
  return {
    bold: wrap(1, 22),
    dim: wrap(2, 22),
    red: wrap(31, 39),
    green: wrap(32, 39),
    yellow: wrap(33, 39),
    cyan: wrap(36, 39),
  };
}
