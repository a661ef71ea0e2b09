// Reads a journal from the disk, mends its end, and shortens it when most of it is out of date.

import * as fs from "node:fs";

import { CommandError, EXIT } from "../errors.ts";
import { KeyTable } from "./key-table.ts";

const HEADER = "meanwhile-state 1\n";
/** Of a key's value: how often it is finished is in the low bits, whether it ever failed in this one. */
export const FAILED_BIT: number = 128;
/** More than so many of the same are not told apart. */
const MOST_OK = 100;

const CHUNK_BYTES = 1024 * 1024;
/** The run came to its end: the file of records has nothing that is not noted here, whatever is added to it later. */
export const END: string = ".";
const ENTRY = /^([\w-]{22}) ([01]) [\w-]+$/;
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
    const content = new Content();
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
  readonly known: KeyTable = new KeyTable();
  saved: SavedLength | undefined;
  lines = 0;

  /** Reads the lines, and returns how many bytes the complete ones take. */
  read(fd: number, path: string): number {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let rest = "";
    let complete = 0;
    for (let at = 0; ;) {
      const count = fs.readSync(fd, buffer, 0, CHUNK_BYTES, at);
      const lines = (rest + buffer.toString("latin1", 0, count)).split("\n");
      if (at === 0) checkHeader(buffer.toString("latin1", 0, Math.min(count, HEADER.length)), path);
      at += count;
      rest = lines.pop() ?? "";
      for (const line of lines) this.#add(line);
      complete = at - rest.length;
      if (count === 0) return complete;
    }
  }

  /** A line that is none, as a disk may leave after a power failure, is as good as no line. */
  #add(line: string): void {
    this.lines += 1;
    const [, key, ok] = ENTRY.exec(line) ?? [];
    if (key !== undefined) {
      const value = this.known.get(key) ?? 0;
      const finished = Math.min(MOST_OK, (value & ~FAILED_BIT) + Number(ok));
      this.known.set(key, finished | (ok === "1" ? value & FAILED_BIT : FAILED_BIT));
      return;
    }
    if (line === END) this.saved = undefined;
    const [, file, bytes] = LENGTH.exec(line) ?? [];
    if (file !== undefined) this.saved = { file, bytes: Number(bytes) };
  }
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
