// Bytes that have come and that nobody has read yet.

/** A piece costs a few hundred bytes beside its own: where they are smaller than this on average, they are joined. */
const SMALL_BYTES = 2 * 1024;

export class ByteQueue {
  // Invariant: length is the number of bytes in #pieces.
  #pieces: Buffer[] = [];
  length = 0;

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.length += piece.length;
  }

  /** The next bytes; undefined if there are none. */
  shift(): Buffer | undefined {
    // Chunks of a byte each must not become as many objects at whoever reads them.
    const areSmall = this.#pieces.length > 1 && this.length < SMALL_BYTES * this.#pieces.length;
    const piece = areSmall ? Buffer.concat(this.#pieces, this.length) : this.#pieces.shift();
    if (areSmall) this.#pieces = [];
    if (piece !== undefined) this.length -= piece.length;
    return piece;
  }

  clear(): void {
    this.#pieces = [];
    this.length = 0;
  }
}
