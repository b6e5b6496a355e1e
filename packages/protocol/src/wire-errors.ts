import { ErrorCode, HubError } from "./errors.ts";
import { type WireError, WireErrorCode } from "./messages.ts";

/** Code to number, by the name that both share. */
const NUMBERS: ReadonlyMap<ErrorCode, WireErrorCode> = new Map(
  Object.values(ErrorCode).map((code) => [code, WireErrorCode[`ERROR_CODE_${code}`]]),
);
const CODES: ReadonlyMap<WireErrorCode, ErrorCode> = new Map([...NUMBERS].map(([code, number]) => [number, code]));

/** The number of a code in `orchestra.hub.v1.ErrorCode`. */
export function toWireCode(code: ErrorCode): WireErrorCode {
  return NUMBERS.get(code) ?? WireErrorCode.ERROR_CODE_INTERNAL;
}

/** The code of a number; `INTERNAL` for 0 and for numbers that a newer peer knows and this code does not. */
export function fromWireCode(number: number): ErrorCode {
  return CODES.get(number as WireErrorCode) ?? ErrorCode.Internal;
}

/** What travels in field 200 of a response. The cause stays here: it may hold what a peer must not see. */
export function toWireError(error: HubError): WireError {
  return { code: toWireCode(error.code), message: error.message, retryable: error.retryable };
}

/** The error that a peer sent. Whether it is retryable follows from the code alone, so that one code means one thing. */
export function fromWireError(error: WireError): HubError {
  return new HubError(fromWireCode(error.code), error.message === "" ? "The peer gave no reason" : error.message);
}
