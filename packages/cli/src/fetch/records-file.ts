// The file of `--jsonl FILE`: records are appended, and what a killed run has left of a line is cut off first.

import * as fs from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

import { CommandError, EXIT, startError } from "../errors.ts";
import { writeError } from "../output/write-all.ts";
import { type FieldName, isFieldName } from "./fields.ts";
import type { SavedLength } from "./journal-file.ts";
import { LockFile } from "./lock-file.ts";

const datasync = promisify(fs.fdatasync);

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 10;
/** A line beyond this is none of ours: a record has at most one body of `--max-size`. */
const LONGEST_LINE_BYTES = 256 * 1024 * 1024;

export interface RecordsFileOptions {
  /** The journal that notes its length. Until that has its end, no run with another one may write the file. */
  readonly journal: string | undefined;
  /** How long it was when a journal last noted it: what is behind that is requested, and recorded, again. */
  readonly saved: SavedLength | undefined;
  /** Those that its records have; undefined for all. */
  readonly fields: readonly FieldName[] | undefined;
}

export class RecordsFile {
  readonly fd: number;
  readonly #name: string;
  readonly #identity: string;
  readonly #lock: LockFile | undefined;
  readonly #hasJournal: boolean;
  /** Whether it had records before this run. */
  readonly isContinued: boolean;
  #bytes: number;

  private constructor(fd: number, path: string, { saved, fields, journal, lock }: RecordsFileOptions & Locked) {
    const { dev, ino, size } = fs.fstatSync(fd);
    const isFile = fs.fstatSync(fd).isFile();
    this.#lock = lock;
    this.#hasJournal = journal !== undefined;
    this.fd = fd;
    this.#name = `"${path}"`;
    this.#identity = `${dev}-${ino}`;
    this.#bytes = isFile
      ? mend(fd, path, { size, fields, committed: saved?.file === this.#identity ? saved.bytes : Infinity })
      : 0;
    this.isContinued = this.#bytes > 0;
  }

  /**
   * Opens the file, or makes it.
   *
   * @throws {@link CommandError} with exit code 3 if it cannot be written, has something else in it, or another journal has
   * not come to its end
   */
  static open(path: string, options: RecordsFileOptions): RecordsFile {
    let fd: number | undefined;
    let lock: LockFile | undefined;
    try {
      fd = fs.openSync(path, fs.existsSync(path) && !fs.statSync(path).isFile() ? "a" : "a+");
      if (fs.fstatSync(fd).isFile()) lock = lockFor(path, options.journal);
      return new RecordsFile(fd, path, { ...options, lock });
    } catch (error) {
      if (fd !== undefined) fs.closeSync(fd);
      if (options.saved === undefined) lock?.[Symbol.dispose]();
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
    try {
      await datasync(this.fd);
    } catch (error) {
      throw writeError(this.#name, error);
    }
    return saved;
  }

  /** `isComplete` says whether the journal, if there is one, has its end: otherwise only a run with it may go on here. */
  close(isComplete: boolean): void {
    fs.closeSync(this.fd);
    if (isComplete || !this.#hasJournal) this.#lock?.[Symbol.dispose]();
  }
}

/** By its real name: two runs may call one file by different names. */
function lockFor(path: string, journal: string | undefined): LockFile | undefined {
  const real = fs.realpathSync(path);
  if (journal !== undefined) return LockFile.take(real, fs.realpathSync(journal));
  if (mayMakeFiles(dirname(real))) return LockFile.take(real);
  // What may be written may stand where nothing may be made, as a log does. Without a journal nothing is cut off.
  LockFile.check(real);
  return undefined;
}

function mayMakeFiles(directory: string): boolean {
  try {
    fs.accessSync(directory, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

interface Locked {
  readonly lock: LockFile | undefined;
}

interface Extent {
  readonly size: number;
  /** What is behind this is not noted anywhere. */
  readonly committed: number;
  readonly fields: readonly FieldName[] | undefined;
}

/** Makes the file end with a complete record, and returns its length. */
function mend(fd: number, path: string, { size, committed, fields }: Extent): number {
  if (size === 0) return 0;
  const isRecord = (line: string): boolean => isRecordOf(line, fields);
  const start = byteAt(fd, size - 1) === NEWLINE ? size : startOfLastLine(fd, size);
  const rest = readText(fd, start, size);
  const isWhole = rest === "" || isRecord(rest);
  // What is cut off must be ours as surely as what is appended to.
  const isOurs =
    start === 0 ? isWhole || isBegun(rest, fields) : [firstLine(fd), lineBefore(fd, start)].every(isRecord);
  if (!isOurs) throw new CommandError(EXIT.notStarted, `"${path}" is no file of records; it is left as it is`);
  let end = rest !== "" && isWhole ? size + fs.writeSync(fd, "\n") : start;
  if (committed < end && hasOnlyRecords(fd, committed, end, isRecord)) end = committed;
  if (end < size) fs.ftruncateSync(fd, end);
  return end;
}

/** Somebody else may have added something; that is not ours to cut off. */
function hasOnlyRecords(fd: number, from: number, to: number, isRecord: (line: string) => boolean): boolean {
  if (to - from > LONGEST_LINE_BYTES || (from > 0 && byteAt(fd, from - 1) !== NEWLINE)) return false;
  const lines = readText(fd, from, to).split("\n");
  return lines.every((line) => line === "" || isRecord(line));
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

function firstLine(fd: number): string {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let at = 0; at < LONGEST_LINE_BYTES; at += CHUNK_BYTES) {
    const count = fs.readSync(fd, buffer, 0, CHUNK_BYTES, at);
    const newline = buffer.subarray(0, count).indexOf(NEWLINE);
    if (newline !== -1) return readText(fd, 0, at + newline);
    if (count === 0) break;
  }
  return "";
}

/** The line that ends before this place. */
function lineBefore(fd: number, place: number): string {
  return readText(fd, startOfLastLine(fd, place - 1), place - 1);
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

/** Whether a line is a record: with the fields of all records, or those that `--fields` chooses. */
function isRecordOf(line: string, fields: readonly FieldName[] | undefined): boolean {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return false;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const keys = Object.keys(value);
  if (ALWAYS.every((name) => keys.includes(name))) return keys.every(isFieldName);
  return fields !== undefined && keys.length > 0 && keys.every((key) => fields.some((name) => name === key));
}

const ALWAYS: readonly FieldName[] = ["index", "url", "ok"];

/** Whether a first line that was cut off may have become a record. */
function isBegun(text: string, fields: readonly FieldName[] | undefined): boolean {
  const starts = [ALWAYS[0], ...(fields ?? [])].map((name) => `{"${name}":`);
  return starts.some((start) => text.startsWith(start) || start.startsWith(text));
}
