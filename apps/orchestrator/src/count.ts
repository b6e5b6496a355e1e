import { InvalidArgumentError } from "commander";

/** @returns what reads a whole number from 1 on. For commander: its error names the option */
export function countUpTo(most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
    const to = most === Number.MAX_SAFE_INTEGER ? "on" : `to ${most}`;
    throw new InvalidArgumentError(`Expected a number from 1 ${to}.`);
  };
}
