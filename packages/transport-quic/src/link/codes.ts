import { ErrorCode, HubError } from "@orchestrator/protocol";
import { cancelledByPeer } from "@orchestrator/transport";

/** Application error codes that this package puts into RESET_STREAM, STOP_SENDING and CONNECTION_CLOSE. */
export const AppCode = {
  /** Nothing went wrong: the rest is not needed. Also of every graceful close. */
  Done: 0,
  Cancelled: 1,
  /** The side is closing, or gave the connection up. */
  Unavailable: 2,
  FrameTooLarge: 3,
  Protocol: 4,
} as const;
export type AppCode = (typeof AppCode)[keyof typeof AppCode];

/** What a reset or stopped stream means for its call. Peers of other make use codes of their own, mostly 0: a cancellation. */
export function errorOfCode(code: number, peer: string): HubError {
  switch (code) {
    case AppCode.Unavailable:
      return new HubError(ErrorCode.Unavailable, `${peer || "The peer"} takes no more calls on this link`);
    case AppCode.FrameTooLarge:
      return new HubError(ErrorCode.FrameTooLarge, `${peer || "The peer"} refused a frame that is too large`);
    case AppCode.Protocol:
      return new HubError(ErrorCode.Protocol, `${peer || "The peer"} could not make sense of the call's bytes`);
    default:
      return cancelledByPeer();
  }
}
