// Cuts bytes of UTF-8 at their newlines, many lines in one go; the end of the last piece waits for more.

const NEWLINE = 0x0a;
const RETURN = "\r";

/** How lines are cut. */
export interface LineSplitterOptions {
  readonly maxLineBytes: number;
  readonly keepEnds: boolean;
}

export class LineSplitter {
  readonly maxLineBytes: number;
  /** Whether a line was too long; nothing more comes out then. */
  isTooLong = false;
  // Invariant: #rest has #restBytes bytes, no newline among them, and at most maxLineBytes.
  #rest: Buffer[] = [];
  #restBytes = 0;
  readonly #keepEnds: boolean;

  constructor({ maxLineBytes, keepEnds }: LineSplitterOptions) {
    this.maxLineBytes = maxLineBytes;
    this.#keepEnds = keepEnds;
  }

  /** The lines that are complete now. */
  push(bytes: Buffer): string[] {
    const last = this.isTooLong ? -1 : bytes.lastIndexOf(NEWLINE);
    if (last === -1) {
      this.#hold(bytes);
      return [];
    }
    const whole = Buffer.concat([...this.#rest, bytes.subarray(0, last + 1)]);
    this.#rest = [];
    this.#restBytes = 0;
    const end = this.#endOfFitting(whole);
    if (end === whole.length) this.#hold(bytes.subarray(last + 1));
    return this.#linesIn(whole.subarray(0, end));
  }

  /** The last line, if there is one without an end. */
  end(): string[] {
    if (this.isTooLong || this.#restBytes === 0) return [];
    const text = Buffer.concat(this.#rest).toString("utf8");
    this.#rest = [];
    this.#restBytes = 0;
    return [text];
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0 || this.isTooLong) return;
    this.#restBytes += bytes.length;
    if (this.#restBytes > this.maxLineBytes) {
      this.isTooLong = true;
      this.#rest = [];
    } else {
      this.#append(bytes);
    }
  }

  // A piece is joined with those before it that are no longer, so that a line which comes byte by byte is few objects.
  #append(bytes: Buffer): void {
    let piece = bytes;
    while ((this.#rest.at(-1)?.length ?? Infinity) <= piece.length) {
      piece = Buffer.concat([this.#rest.pop() ?? piece, piece]);
    }
    this.#rest.push(piece);
  }

  /** How many of these bytes, which end in a newline, are in lines that are not too long. Looks at few of them. */
  #endOfFitting(whole: Buffer): number {
    let start = 0;
    while (whole.length - start > this.maxLineBytes) {
      // The last newline in reach: what lies between are lines that fit.
      const newline = whole.lastIndexOf(NEWLINE, start + this.maxLineBytes - 1);
      if (newline < start) {
        this.isTooLong = true;
        return start;
      }
      start = newline + 1;
    }
    return whole.length;
  }

  #linesIn(whole: Buffer): string[] {
    if (whole.length === 0) return [];
    const lines = whole.toString("utf8", 0, whole.length - 1).split("\n");
    for (let index = 0; index < lines.length; index += 1) {
      const line = lines[index] ?? "";
      if (this.#keepEnds) lines[index] = `${line}\n`;
      else if (line.endsWith(RETURN)) lines[index] = line.slice(0, -1);
    }
    return lines;
  }
}
