// Reads a journal from the disk, mends its end, and shortens it when most of it is out of date.

import * as fs from "node:fs";

import { CommandError, EXIT } from "../errors.ts";
import { isWord, KEY_LENGTH, KeyTable } from "./key-table.ts";

const HEADER = "meanwhile-state 1\n";
/** Of a key's value: how often it is finished is in the low bits, whether it ever failed in this one. */
export const FAILED_BIT: number = 128;
/** More than so many of the same are not told apart. */
const MOST_OK = 100;

const USUAL_LINE_BYTES = 30;
const CHUNK_BYTES = 1024 * 1024;
const [NEWLINE, SPACE, ZERO, ONE] = [10, 32, 48, 49];
/** The run came to its end: the file of records has nothing that is not noted here, whatever is added to it later. */
export const END: string = ".";
const LENGTH = /^@ (\d+-\d+) (\d{1,15})$/;
/** A journal is written anew when it has more than so many lines for each URL, and not only a few. */
const MOST_LINES_PER_KEY = 2;
const FEW_LINES = 10_000;
const GATHERED_LINES = 10_000;

/** How long the file of records is, and which file that is. */
export interface SavedLength {
  /** Device and inode. */
  readonly file: string;
  readonly bytes: number;
}

export interface OpenJournal {
  /** Open for appending. */
  readonly fd: number;
  readonly known: KeyTable;
  readonly saved: SavedLength | undefined;
}

/** @throws {@link CommandError} with exit code 3 for a file that is something else */
export function readJournal(path: string): OpenJournal {
  const fd = fs.openSync(path, "a+", 0o600);
  try {
    const content = new Content(fs.fstatSync(fd).size / USUAL_LINE_BYTES);
    const complete = content.read(fd, path);
    fs.ftruncateSync(fd, complete);
    if (complete === 0) fs.writeSync(fd, HEADER);
    const isWasteful = content.lines > FEW_LINES && content.lines > content.known.size * MOST_LINES_PER_KEY;
    return { fd: isWasteful ? shorten(path, fd, content) : fd, known: content.known, saved: content.saved };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

class Content {
  readonly known: KeyTable;
  saved: SavedLength | undefined;
  lines = 0;

  constructor(expectedLines: number) {
    this.known = new KeyTable(expectedLines);
  }

  /** Reads the lines, and returns how many bytes the complete ones take. Not as text: a million lines are to take no time. */
  read(fd: number, path: string): number {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let held = 0; // of a line that began in the last chunk, at the start of the buffer
    let complete = 0;
    for (let at = 0; ;) {
      const count = fs.readSync(fd, buffer, held, CHUNK_BYTES - held, at);
      if (at === 0) checkHeader(buffer.toString("latin1", 0, Math.min(count, HEADER.length)), path);
      if (count === 0) return complete;
      at += count;
      const end = held + count;
      const start = this.#addLines(buffer, end);
      held = end - start;
      if (start > 0) complete = at - held;
      buffer.copyWithin(0, start, end);
      if (held < CHUNK_BYTES) continue;
      held = 1; // so long a line is none; a zero stands for what it began with
      buffer[0] = 0;
    }
  }

  /** Takes the lines that end before `end`, and returns where the one begins that does not. */
  #addLines(bytes: Buffer, end: number): number {
    let start = 0;
    for (
      let newline = bytes.indexOf(NEWLINE);
      newline !== -1 && newline < end;
      newline = bytes.indexOf(NEWLINE, start)
    ) {
      this.lines += 1;
      if (!this.#addEntry(bytes, start, newline)) this.#addOther(bytes.toString("latin1", start, newline));
      start = newline + 1;
    }
    return start;
  }

  /** `KEY 1 200`; false for what is no such line. */
  #addEntry(bytes: Buffer, start: number, end: number): boolean {
    const digit = start + KEY_LENGTH + 1;
    const isOk = bytes[digit] === ONE;
    if (end - digit < 3 || (!isOk && bytes[digit] !== ZERO)) return false;
    if (bytes[digit - 1] !== SPACE || bytes[digit + 1] !== SPACE || !isWord(bytes, digit + 2, end)) return false;
    return this.known.updateAt(bytes, start, isOk ? afterOk : afterFailure);
  }

  /** A line that is none, as a disk may leave after a power failure, is as good as no line. */
  #addOther(line: string): void {
    if (line === END) this.saved = undefined;
    const [, file, bytes] = LENGTH.exec(line) ?? [];
    if (file !== undefined) this.saved = { file, bytes: Number(bytes) };
  }
}

function afterOk(value: number = 0): number {
  return (value & FAILED_BIT) | Math.min(MOST_OK, (value & ~FAILED_BIT) + 1);
}

function afterFailure(value: number = 0): number {
  return value | FAILED_BIT;
}

function checkHeader(start: string, path: string): void {
  if (start === HEADER || (start.length < HEADER.length && HEADER.startsWith(start))) return;
  throw new CommandError(EXIT.notStarted, `"${path}" is no state file of this version; it is left as it is`);
}

/** Writes the journal anew, with what still counts. The old one stays until the new one is on the disk. */
function shorten(path: string, old: number, { known, saved }: Content): number {
  const fresh = `${path}.new`;
  const fd = fs.openSync(fresh, "w", 0o600);
  for (const text of textsOf(known, saved)) fs.writeSync(fd, text);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  fs.renameSync(fresh, path);
  fs.closeSync(old);
  return fs.openSync(path, "a", 0o600);
}

function* textsOf(known: KeyTable, saved: SavedLength | undefined): Generator<string, void> {
  let lines = [HEADER];
  for (const [key, value] of known.entries()) {
    if ((value & FAILED_BIT) !== 0) lines.push(`${key} 0 failed\n`);
    for (let finished = value & ~FAILED_BIT; finished > 0; finished--) lines.push(`${key} 1 ok\n`);
    if (lines.length < GATHERED_LINES) continue;
    yield lines.join("");
    lines = [];
  }
  if (saved !== undefined) lines.push(`@ ${saved.file} ${saved.bytes}\n`);
  yield lines.join("");
}
