// Writes lines to a file descriptor in batches, with backpressure, without ever blocking the event loop.
//
// process.stdout would block it: Node writes to pipes and files synchronously, so that a slow reader (`| less`) would
// stop all requests and let them time out.

import { now, shield } from "meanwhile";
import { ParkingLot, suspend, type Waiter, wakeAt } from "meanwhile/lowlevel";

import { writeAll } from "./write-all.ts";

/** After a write, lines are gathered until there are so many characters, or for so long; the first go out at once. */
const GATHER_SIZE = 64 * 1024;
const GATHER_MS = 20;
/** When so many characters wait, producers wait too. */
const HIGH_WATER = 256 * 1024;
/** The longest that a character becomes in UTF-8. */
const BYTES_PER_CHARACTER = 3;

/** What a {@link LineWriter} writes to. */
export interface LineTarget {
  readonly fd: number;
  /** How errors call it. */
  readonly name: string;
  /**
   * Called when lines are written, with their notes and the bytes they took. Nothing more is written until it is done.
   */
  readonly onWritten?: ((notes: readonly string[], bytes: number) => Promise<void>) | undefined;
}

export class LineWriter {
  readonly #target: LineTarget;
  #givesUpAt = Infinity;
  // Invariant: #size is the length of all lines in #lines.
  #lines: string[] = [];
  #notes: string[] = [];
  #size = 0;
  #isClosed = false;
  #isBroken = false;
  #gathering: Waiter<void> | null = null;
  // Used again for every write: a buffer for each would be memory that only the collector gives back.
  readonly #buffer = Buffer.allocUnsafe(BYTES_PER_CHARACTER * HIGH_WATER);
  readonly #work = new ParkingLot({ describe: () => "lines to write" });
  readonly #room = new ParkingLot({ describe: () => "a reader of the output" });

  constructor(target: LineTarget) {
    this.#target = target;
  }

  /** Whether writing failed, or was given up: nothing more can be written. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /**
   * Hands over a line, which must end with a newline, or nothing but a note. {@link whenRoom} says when to hand over the
   * next one.
   *
   * @param note - handed to `onWritten` once the line is written
   */
  write(line: string, note?: string): void {
    this.#lines.push(line);
    if (note !== undefined) this.#notes.push(note);
    this.#size += line.length;
    this.#work.unpark();
    if (this.#size >= GATHER_SIZE) this.#gathering?.wake();
  }

  /** Waits while the reader is far behind; null if there is nothing to wait for. */
  whenRoom(): Promise<void> | null {
    return this.#size < HIGH_WATER ? null : this.#room.park();
  }

  /** From now on a reader that does not read is waited for no longer than this; then what is left is dropped. */
  giveUpAfter(ms: number): void {
    this.#givesUpAt = Math.min(this.#givesUpAt, now() + ms);
  }

  /** Nothing more will come: {@link run} ends when everything is written. */
  close(): void {
    this.#isClosed = true;
    this.#work.unpark();
    this.#gathering?.wake();
  }

  /**
   * Writes what is handed over, until closed.
   *
   * Cancellation: ends it between two writes; {@link flush} writes the rest.
   *
   * @throws {@link CommandError} with exit code 141, and no text, if the reader is gone; with 4 for a full disk, with 3 for any other failure
   */
  async run(): Promise<void> {
    for (;;) {
      if (this.#lines.length > 0) {
        await this.flush();
        if (!this.#isClosed) await this.#gather();
      } else if (this.#isClosed) return;
      else await this.#work.park();
    }
  }

  /**
   * Writes everything that waits.
   *
   * Cancellation: held back: half a line must not be left, and records are what the run was for.
   */
  async flush(): Promise<void> {
    while (this.#lines.length > 0) {
      const text = this.#lines.join("");
      const notes = this.#notes;
      this.#lines = [];
      this.#notes = [];
      this.#size = 0;
      this.#room.unparkAll();
      const bytes = this.#encode(text);
      await shield(() => this.#writeAll(bytes, notes));
    }
  }

  #drop(): void {
    this.#isBroken = true;
    this.#lines = [];
    this.#notes = [];
    this.#size = 0;
    this.#room.unparkAll();
  }

  #encode(text: string): Buffer {
    const mayNotFit = text.length * BYTES_PER_CHARACTER > this.#buffer.length;
    return mayNotFit ? Buffer.from(text) : this.#buffer.subarray(0, this.#buffer.write(text));
  }

  async #gather(): Promise<void> {
    await suspend<void>((waiter) => {
      this.#gathering = waiter;
      wakeAt(waiter, now() + GATHER_MS);
      return undefined;
    }, GATHERING);
    this.#gathering = null;
  }

  async #writeAll(bytes: Buffer, notes: readonly string[]): Promise<void> {
    try {
      const isWritten = await writeAll(this.#target.fd, this.#target.name, bytes, () => now() >= this.#givesUpAt);
      if (isWritten) await this.#target.onWritten?.(notes, bytes.length);
      else this.#drop();
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
  }
}

const GATHERING = { describe: () => "more lines to write" };
