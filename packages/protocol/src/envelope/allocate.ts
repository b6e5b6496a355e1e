/** Where the bytes of a new envelope go. */
export interface AllocateOptions {
  /**
   * Bytes kept free in front of the result, in the same buffer, so that a carrier can put its header there without copying
   * again. Default 0.
   */
  readonly headroom?: number | undefined;
  /**
   * Gives `length` bytes, cleared or not: all of those after the headroom are written. Default `new Uint8Array(length)`, which
   * for a small envelope takes longer than all the rest; see {@link createSlabAllocator}.
   */
  readonly allocate?: ((length: number) => Uint8Array) | undefined;
}

/** `size` bytes to write into, after the headroom that was asked for. */
export function allocate(size: number, options: AllocateOptions): Uint8Array {
  const headroom = options.headroom ?? 0;
  const buffer = options.allocate === undefined ? new Uint8Array(headroom + size) : options.allocate(headroom + size);
  return headroom === 0 ? buffer : buffer.subarray(headroom);
}

/**
 * An allocator that cuts small pieces from slabs of `slabBytes` and never hands out a byte twice. A piece keeps its whole slab
 * alive, so it suits bytes that pass through, not bytes that are kept. Anything above an eighth of a slab gets its own buffer.
 */
export function createSlabAllocator(slabBytes = 64 * 1024): (length: number) => Uint8Array {
  let slab = new Uint8Array(0);
  let used = 0;
  const largest = slabBytes >>> 3;
  return (length) => {
    if (length > largest) return new Uint8Array(length);
    if (used + length > slab.length) {
      slab = new Uint8Array(slabBytes);
      used = 0;
    }
    const start = used;
    used += length;
    return slab.subarray(start, used);
  };
}
