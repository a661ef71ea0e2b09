// Remembers across runs which URLs are finished: `--state FILE`.
//
//   meanwhile-state 1
//   KEY 1 200            finished, with this status
//   KEY 0 timeout        failed, for this reason
//   @ 2049-1234 56789    so far the file of records (device-inode) is 56 789 bytes long
//   .                    the end of a run that was not killed
//
// Lines are only appended, and synced in batches, records first: a URL that stands here has its record. What the file of
// records has beyond the last `@` belongs to URLs that do not stand here; the next run cuts it off and requests them
// again. So a run that is killed at any moment and then repeated has exactly one record for each URL that is ok.

import * as fs from "node:fs";
import { promisify } from "node:util";

import { CommandError, startError } from "../errors.ts";
import { writeError } from "../output/write-all.ts";
import { END, FAILED_BIT, readJournal, type SavedLength } from "./journal-file.ts";
import { type KeyTable, keyOf } from "./key-table.ts";
import { LockFile } from "./lock-file.ts";
import type { FetchRecord, SkipReason } from "./record.ts";
import type { Target } from "./target.ts";

const write: (fd: number, bytes: Uint8Array, offset: number) => Promise<{ bytesWritten: number }> = promisify(fs.write);
const datasync = promisify(fs.fdatasync);

/** What stands for a target in a journal: the same in every run. `method` and `body` are those of the run. */
export function journalKey(
  target: Target,
  { method, body }: { readonly method: string; readonly body?: string | undefined },
): string {
  const { request, text } = target;
  const own = request.body === undefined ? (body ?? "") : Buffer.from(request.body).toString("latin1");
  return keyOf(JSON.stringify([request.method ?? method, text, own, request.id ?? "", request.headers ?? []]));
}

/** The line that a record leaves; undefined for one that a later run must request again. */
export function noteOf(key: string, { ok, status, skipped, error }: FetchRecord): string | undefined {
  if (
    key === "" ||
    error?.code === "cancelled" ||
    skipped === "finished" ||
    skipped === "new" ||
    skipped === "duplicate"
  ) {
    return undefined;
  }
  return `${key} ${ok ? 1 : 0} ${error?.code ?? status ?? skipped ?? "ok"}\n`;
}

export class Journal implements Disposable {
  readonly #path: string;
  readonly #lock: LockFile;
  readonly #fd: number;
  readonly #known: KeyTable;
  /** How long the file of records was when the last run noted it. */
  readonly saved: SavedLength | undefined;

  private constructor(path: string, lock: LockFile) {
    const { fd, known, saved } = readJournal(path);
    this.#path = path;
    this.#lock = lock;
    this.#fd = fd;
    this.#known = known;
    this.saved = saved;
  }

  /**
   * Opens a journal, or begins one. A last line that is not complete is cut off.
   *
   * @throws {@link CommandError} with exit code 3 if another process uses it, if it is none, or cannot be written
   */
  static open(path: string): Journal {
    const lock = LockFile.take(path);
    try {
      return new Journal(path, lock);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error instanceof CommandError ? error : startError(`cannot use "${path}"`, error);
    }
  }

  /** Whether earlier runs have left anything. */
  get isEmpty(): boolean {
    return this.#known.size === 0;
  }

  /**
   * Why a URL need not be requested; undefined if it must be. Each finished one counts once: of a URL that stands twice in
   * the list and was finished once, the second is requested.
   */
  take(key: string, { onlyFailed }: { readonly onlyFailed: boolean }): SkipReason | undefined {
    const value = this.#known.get(key);
    if (value === undefined) return onlyFailed ? "new" : undefined;
    const finished = value & ~FAILED_BIT;
    if (finished > 0) {
      this.#known.set(key, value - 1);
      return "finished";
    }
    return onlyFailed && value === 0 ? "new" : undefined;
  }

  /**
   * Notes what is finished, once the records of it are on the disk.
   *
   * Cancellation: not noticed; who calls it holds it back.
   *
   * @throws {@link CommandError} with exit code 4 for a full disk, with 3 for any other failure
   */
  async commit(notes: readonly string[], saved: SavedLength | undefined): Promise<void> {
    const length = saved === undefined ? "" : `@ ${saved.file} ${saved.bytes}\n`;
    await this.#append(notes.join("") + length);
  }

  async #append(text: string): Promise<void> {
    const bytes = Buffer.from(text, "latin1");
    try {
      for (let at = 0; at < bytes.length;) at += (await write(this.#fd, bytes, at)).bytesWritten;
      await datasync(this.#fd);
    } catch (error) {
      throw writeError(`"${this.#path}"`, error);
    }
  }

  /**
   * Says that all records are written, and syncs that.
   *
   * Cancellation: not noticed; who calls it holds it back.
   */
  async end(): Promise<void> {
    await this.#append(`${END}\n`);
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#fd);
    this.#lock[Symbol.dispose]();
  }
}
