// Takes the rows out of what a server sends, and hands the rest to pg in the order it came. Nearly all messages of a large result
// are rows: read where they lie, they cost a third of what pg's parser needs for them (bench/README.md, row `postgres-rows`).

import { DialFailure } from "./dial-failure.ts";

/** Whoever reads rows. Must not throw. */
export interface RowTarget {
  /** @param at - where the first column begins, with its length */
  handleRow(bytes: Buffer, at: number): void;
  /** The types of the parameters of a statement, where pg cannot read how many there are. */
  handleParameters(oids: number[]): void;
}

const DATA_ROW = 0x44;
const PARAMETERS = 0x74;
/** pg reads the count as a number with a sign. */
const MOST_FOR_PG = 32_767;
/** The code of a message, and its length, which counts itself and not the code. */
const HEADER = 5;
/** Before the first column: the header, and how many columns there are. */
const BEFORE_COLUMNS = 7;
/** A server sends no larger ones. */
const LONGEST = 2 ** 30;

export class MessageSplitter {
  /** Who reads the rows that come next; null if pg does. */
  target: RowTarget | null = null;
  readonly #others: (bytes: Buffer) => void;
  // The beginning of a message whose end has not come.
  #pieces: Buffer[] = [];
  #length = 0;
  // How long it must be before it is worth looking at again.
  #needed = 0;

  /** @param others - takes complete messages */
  constructor(others: (bytes: Buffer) => void) {
    this.#others = others;
  }

  /** Throws for bytes that are no messages. */
  push(chunk: Buffer): void {
    if (this.#length === 0) return this.#split(chunk);
    this.#pieces.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#needed) return;
    const bytes = Buffer.concat(this.#pieces, this.#length);
    this.#pieces = [];
    this.#length = 0;
    this.#split(bytes);
  }

  #split(bytes: Buffer): void {
    // What lies between the two is for pg.
    let start = 0;
    let at = 0;
    while (at + HEADER <= bytes.length) {
      const next = at + 1 + lengthAt(bytes, at + 1);
      if (next > bytes.length) break;
      if (bytes[at] === DATA_ROW) {
        // What comes before a row may say who reads it.
        if (start < at) this.#others(bytes.subarray(start, at));
        start = at;
        if (this.target !== null) {
          this.target.handleRow(bytes, at + BEFORE_COLUMNS);
          start = next;
        }
      } else if (bytes[at] === PARAMETERS && bytes.readUInt16BE(at + HEADER) > MOST_FOR_PG && this.target !== null) {
        if (start < at) this.#others(bytes.subarray(start, at));
        this.target.handleParameters(oidsAt(bytes, at + HEADER));
        start = next;
      }
      at = next;
    }
    if (start < at) this.#others(bytes.subarray(start, at));
    if (at < bytes.length) this.#keep(bytes.subarray(at));
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length = piece.length;
    this.#needed = piece.length < HEADER ? HEADER : 1 + lengthAt(piece, 1);
  }
}

/** A count, and so many OIDs. */
function oidsAt(bytes: Buffer, at: number): number[] {
  return Array.from({ length: bytes.readUInt16BE(at) }, (_, index) => bytes.readUInt32BE(at + 2 + index * 4));
}

function lengthAt(bytes: Buffer, at: number): number {
  const length = bytes.readInt32BE(at);
  if (length >= 4 && length <= LONGEST) return length;
  throw new DialFailure("MW_ERR_PG_PROTOCOL", "what came is no message of PostgreSQL");
}
