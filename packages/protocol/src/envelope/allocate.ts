/** Where the bytes of a new envelope go. */
export interface AllocateOptions {
  /** Bytes kept free in front of the result, in the same buffer, so that a carrier can put its header there without copying again. Default 0. */
  readonly headroom?: number | undefined;
  /**
   * Gives `length` bytes, cleared or not: all of those after the headroom are written. Default `new Uint8Array(length)`; a
   * host's pool (`Buffer.allocUnsafe`) is faster for small envelopes.
   */
  readonly allocate?: ((length: number) => Uint8Array) | undefined;
}

/** `size` bytes to write into, after the headroom that was asked for. */
export function allocate(size: number, options: AllocateOptions): Uint8Array {
  const headroom = options.headroom ?? 0;
  const buffer = options.allocate === undefined ? new Uint8Array(headroom + size) : options.allocate(headroom + size);
  return headroom === 0 ? buffer : buffer.subarray(headroom);
}
