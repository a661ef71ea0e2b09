// Splits a stream of bytes into lines, in batches, holding no more than one chunk and one line.

import { cancellable } from "meanwhile";

/** Longer lines are not URLs but mistakes. In UTF-16 code units. */
export const MAX_LINE_LENGTH: number = 64 * 1024;

const SHOWN_OF_LONG = 200;

/** One line of a list, without what ends it. */
export interface Line {
  readonly text: string;
  /** Only the beginning is kept of a line that is too long. */
  readonly isTooLong: boolean;
}

/**
 * Reads lines as they come. Each batch has the lines that one chunk completed.
 *
 * Cancellation: ends the wait for the next chunk; what the stream gave so far is lost.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line[], void> {
  const splitter = new LineSplitter();
  const decoder = new TextDecoder(); // drops a byte order mark, replaces what is not UTF-8
  const iterator = chunks[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await cancellable(iterator.next());
    if (done === true) break;
    yield splitter.push(decoder.decode(value, { stream: true }));
  }
  yield splitter.push(`${decoder.decode()}\n`);
}

/** Cuts text at its newlines; the end of the last piece waits for more. */
export class LineSplitter {
  // Invariant: #rest has no newline and at most MAX_LINE_LENGTH characters; if #skipping, it is the start of a long line.
  #rest = "";
  #skipping = false;

  push(text: string): Line[] {
    const pieces = text.split("\n");
    const lines: Line[] = [];
    for (let i = 0; i < pieces.length - 1; i++) lines.push(this.#complete(pieces[i] ?? ""));
    this.#hold(pieces.at(-1) ?? "");
    return lines;
  }

  #complete(end: string): Line {
    this.#hold(end);
    const line = { text: this.#rest, isTooLong: this.#skipping };
    this.#rest = "";
    this.#skipping = false;
    return line;
  }

  #hold(piece: string): void {
    if (this.#skipping) return;
    this.#rest = this.#rest === "" ? piece : this.#rest + piece;
    if (this.#rest.length <= MAX_LINE_LENGTH) return;
    this.#rest = this.#rest.slice(0, SHOWN_OF_LONG);
    this.#skipping = true;
  }
}
