// Puts what comes in any order back into the order of the list, holding no more than a window of it.
//
//   next ─▶ 7 · 9 10 · · 13      7 is missing: 9, 10 and 13 wait, and nothing beyond 7 + window is begun

import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ParkingLot } from "meanwhile/lowlevel";

import { FileProblem } from "../errors.ts";

/** A record's line, and the line for the journal. */
export interface Entry {
  readonly line: string;
  readonly note: string | undefined;
}

interface Spilled {
  readonly at: number;
  readonly bytes: number;
  readonly note: string | undefined;
}

export interface OrderedOptions {
  /** How many indices beyond the first that is missing may be begun. */
  readonly window: number;
  /** Lines above so many characters in all wait on the disk: those with bodies in them can be large. */
  readonly memory: number;
  readonly emit: (entry: Entry) => void;
}

export class OrderedEntries implements Disposable {
  readonly #options: OrderedOptions;
  // Invariant: every index in #waiting is above #next. Null stands for an index without an entry.
  readonly #waiting = new Map<number, Entry | Spilled | null>();
  readonly #readers = new ParkingLot({ describe: () => "the record of the first URL that has none yet" });
  readonly #spill = new SpillFile();
  #next = 1;
  #size = 0;

  constructor(options: OrderedOptions) {
    this.#options = options;
  }

  /**
   * Waits until an index may be begun; null if it may now.
   *
   * Cancellation: safe.
   */
  whenOpen(index: number): Promise<void> | null {
    return index < this.#next + this.#options.window ? null : this.#untilOpen(index);
  }

  async #untilOpen(index: number): Promise<void> {
    while (index >= this.#next + this.#options.window) await this.#readers.park();
  }

  /** Hands over the entry of an index; null if it has none. Each index once. */
  put(index: number, entry: Entry | null): void {
    if (index !== this.#next) {
      this.#waiting.set(index, this.#held(entry));
      return;
    }
    this.#emit(entry);
    this.#next += 1;
    for (let next = this.#waiting.get(this.#next); next !== undefined; next = this.#waiting.get(this.#next)) {
      this.#waiting.delete(this.#next);
      this.#emit(this.#taken(next));
      this.#next += 1;
    }
    this.#readers.unparkAll();
  }

  /** Hands out what still waits, in order, for the end of a run that was stopped. */
  flush(): void {
    for (const index of [...this.#waiting.keys()].toSorted((one, other) => one - other)) {
      this.#emit(this.#taken(this.#waiting.get(index) ?? null));
      this.#waiting.delete(index);
    }
  }

  [Symbol.dispose](): void {
    this.#spill[Symbol.dispose]();
  }

  #emit(entry: Entry | null): void {
    if (entry !== null) this.#options.emit(entry);
  }

  #held(entry: Entry | null): Entry | Spilled | null {
    if (entry === null) return null;
    if (this.#size + entry.line.length > this.#options.memory)
      return { ...this.#spill.put(entry.line), note: entry.note };
    this.#size += entry.line.length;
    return entry;
  }

  #taken(held: Entry | Spilled | null): Entry | null {
    if (held === null) return null;
    if ("at" in held) return { line: this.#spill.take(held), note: held.note };
    this.#size -= held.line.length;
    return held;
  }
}

/** A file without a name for what does not fit into memory. Begins anew whenever it is empty. */
class SpillFile implements Disposable {
  #fd: number | undefined;
  #end = 0;
  #count = 0;

  put(text: string): { readonly at: number; readonly bytes: number } {
    this.#fd ??= openUnnamed();
    const bytes = Buffer.from(text);
    const at = this.#end;
    for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done, bytes.length - done, at + done);
    this.#end += bytes.length;
    this.#count += 1;
    return { at, bytes: bytes.length };
  }

  take({ at, bytes }: { readonly at: number; readonly bytes: number }): string {
    const buffer = Buffer.alloc(bytes);
    for (let done = 0; done < bytes;) {
      const count = readSync(this.#fd ?? -1, buffer, done, bytes - done, at + done);
      if (count === 0) throw new FileProblem("a temporary file was cut off");
      done += count;
    }
    this.#count -= 1;
    if (this.#count === 0) this.#end = 0;
    return buffer.toString("utf8");
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function openUnnamed(): number {
  const directory = mkdtempSync(join(tmpdir(), "meanwhile-"));
  try {
    return openSync(join(directory, "records"), "wx+", 0o600);
  } finally {
    // Windows keeps the name as long as the file is open.
    rmSync(directory, { recursive: true, force: process.platform !== "win32" });
  }
}
