// The file of a trace: for its user alone, and with its name only when it is complete.

import { closeSync, openSync, renameSync, statSync, unlinkSync } from "node:fs";

import { CommandError, EXIT, startError } from "../errors.ts";
import { writeAll } from "../output/write-all.ts";
import { safe } from "./paper.ts";

const STDOUT = 1;
/** So much is written at once. */
const BATCH = 256 * 1024;

/** Where a trace is written. */
export interface TraceOutput {
  /** How it is called. */
  readonly name: string;
  /**
   * Adds text to it.
   *
   * Cancellation: ends it after any number of bytes.
   */
  write(text: string): Promise<void>;
  /**
   * Writes what is left, and gives the file its name.
   *
   * Cancellation: as that of {@link write}.
   */
  finish(): Promise<void>;
  /** Removes what is not finished. */
  discard(): void;
}

/**
 * Opens the output; `-` is stdout.
 *
 * @throws {@link CommandError} with exit code 2 for a terminal, with 3 if there can be no such file
 */
export function openOutput(path: string): TraceOutput {
  if (path !== "-") return new FileOutput(path);
  if (process.stdout.isTTY) throw new CommandError(EXIT.usage, "a trace is nothing for a terminal: pass -o FILE");
  return new StdoutOutput();
}

class StdoutOutput implements TraceOutput {
  readonly name = "stdout";
  #text = "";

  async write(text: string): Promise<void> {
    this.#text += text;
    if (this.#text.length >= BATCH) await this.finish();
  }

  async finish(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    await writeAll(STDOUT, "stdout", Buffer.from(text));
  }

  discard(): void {}
}

class FileOutput implements TraceOutput {
  readonly name: string;
  readonly #path: string;
  readonly #part: string;
  #fd: number | null;
  #text = "";

  constructor(path: string) {
    this.#path = path;
    // What is there and no file, like a pipe, is written to and not replaced.
    const isSpecial = statSync(path, { throwIfNoEntry: false })?.isFile() === false;
    this.#part = isSpecial ? path : `${path}.part`;
    this.name = safe(path);
    try {
      if (isSpecial) {
        this.#fd = openSync(path, "w");
        return;
      }
      // What a killed command has left is ours, and written anew. A link is not followed: it would be a new file.
      unlinkIfThere(this.#part);
      this.#fd = openSync(this.#part, "wx", 0o600);
    } catch (error) {
      throw startError(`cannot write "${path}"`, error);
    }
  }

  async write(text: string): Promise<void> {
    this.#text += text;
    if (this.#text.length >= BATCH) await this.#flush();
  }

  async finish(): Promise<void> {
    await this.#flush();
    this.#close();
    if (this.#part === this.#path) return;
    try {
      renameSync(this.#part, this.#path);
    } catch (error) {
      unlinkIfThere(this.#part);
      throw startError(`cannot write "${this.#path}"`, error);
    }
  }

  discard(): void {
    if (this.#fd === null) return;
    this.#close();
    if (this.#part !== this.#path) unlinkIfThere(this.#part);
  }

  async #flush(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    if (this.#fd !== null) await writeAll(this.#fd, `"${this.#path}"`, Buffer.from(text));
  }

  #close(): void {
    const fd = this.#fd;
    this.#fd = null;
    if (fd !== null) closeSync(fd);
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
