// The file of `--jsonl FILE`: records are appended, and what a killed run has left of a line is cut off first.

import * as fs from "node:fs";
import { promisify } from "node:util";

import { CommandError, EXIT, startError } from "../errors.ts";
import type { SavedLength } from "./journal-file.ts";

const datasync = promisify(fs.fdatasync);

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 10;
const BRACE = 123;
/** A line beyond this is none of ours: a record has at most one body of `--max-size`. */
const LONGEST_LINE_BYTES = 256 * 1024 * 1024;

export class RecordsFile {
  readonly fd: number;
  readonly #identity: string;
  /** Whether it had records before this run. */
  readonly isContinued: boolean;
  #bytes: number;

  private constructor(fd: number, path: string, saved: SavedLength | undefined) {
    const { dev, ino, size } = fs.fstatSync(fd);
    const isFile = fs.fstatSync(fd).isFile();
    this.fd = fd;
    this.#identity = `${dev}-${ino}`;
    this.#bytes = isFile
      ? mend(fd, path, { size, committed: saved?.file === this.#identity ? saved.bytes : Infinity })
      : 0;
    this.isContinued = this.#bytes > 0;
  }

  /**
   * Opens the file, or makes it.
   *
   * @param saved - how long it was when a journal last noted it: what is behind that is requested, and recorded, again
   * @throws {@link CommandError} with exit code 3 if it cannot be written, or has something else in it
   */
  static open(path: string, saved: SavedLength | undefined): RecordsFile {
    let fd: number | undefined;
    try {
      fd = fs.openSync(path, fs.existsSync(path) && !fs.statSync(path).isFile() ? "a" : "a+");
      return new RecordsFile(fd, path, saved);
    } catch (error) {
      if (fd !== undefined) fs.closeSync(fd);
      throw error instanceof CommandError ? error : startError(`cannot write "${path}"`, error);
    }
  }

  /** So many more bytes were written. */
  grow(bytes: number): void {
    this.#bytes += bytes;
  }

  /**
   * Syncs what was written.
   *
   * Cancellation: not noticed; who calls it holds it back.
   *
   * @returns how long it is
   */
  async sync(): Promise<SavedLength> {
    const saved = { file: this.#identity, bytes: this.#bytes };
    await datasync(this.fd);
    return saved;
  }

  close(): void {
    fs.closeSync(this.fd);
  }
}

interface Extent {
  readonly size: number;
  /** What is behind this is not noted anywhere. */
  readonly committed: number;
}

/** Makes the file end with a complete record, and returns its length. */
function mend(fd: number, path: string, { size, committed }: Extent): number {
  if (size === 0) return 0;
  if (byteAt(fd, 0) !== BRACE) {
    throw new CommandError(EXIT.notStarted, `"${path}" is no file of records; it is left as it is`);
  }
  let end = size;
  if (byteAt(fd, size - 1) !== NEWLINE) {
    const start = startOfLastLine(fd, size);
    const line = readText(fd, start, size);
    if (isJson(line)) return fs.writeSync(fd, "\n") + size;
    end = start;
  }
  if (committed < end && hasOnlyRecords(fd, committed, end)) end = committed;
  if (end < size) fs.ftruncateSync(fd, end);
  return end;
}

/** Somebody else may have added something; that is not ours to cut off. */
function hasOnlyRecords(fd: number, from: number, to: number): boolean {
  if (to - from > LONGEST_LINE_BYTES || (from > 0 && byteAt(fd, from - 1) !== NEWLINE)) return false;
  const lines = readText(fd, from, to).split("\n");
  return lines.every((line) => line === "" || isJson(line));
}

function startOfLastLine(fd: number, size: number): number {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const count = fs.readSync(fd, buffer, 0, end - start, start);
    const newline = buffer.subarray(0, count).lastIndexOf(NEWLINE);
    if (newline !== -1) return start + newline + 1;
    end = start;
  }
  return 0;
}

function byteAt(fd: number, position: number): number | undefined {
  const byte = Buffer.alloc(1);
  fs.readSync(fd, byte, 0, 1, position);
  return byte[0];
}

function readText(fd: number, from: number, to: number): string {
  const buffer = Buffer.alloc(Math.min(to - from, LONGEST_LINE_BYTES));
  fs.readSync(fd, buffer, 0, buffer.length, from);
  return buffer.toString("utf8");
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
