/**
 * What every runtime has and the ECMAScript library does not describe: as much of cancellation as this package uses. It merges
 * with the platform's own declarations where there are any.
 */
interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
}
interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
declare var AbortController: { new (): AbortController };
