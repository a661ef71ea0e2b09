// Keeps two processes from using one file at a time: NAME.lock holds the id of the process that uses NAME.

import { closeSync, linkSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from "node:fs";

import { CommandError, EXIT, startError, systemCodeOf } from "../errors.ts";

export class LockFile implements Disposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Takes the lock of a file. A lock whose process is gone, as after `kill -9`, is taken over.
   *
   * @throws {@link CommandError} with exit code 3 if another process has it, or the file cannot be made
   */
  static take(file: string): LockFile {
    const path = `${file}.lock`;
    while (!create(path)) {
      const holder = holderOf(path);
      if (holder !== null && isAlive(holder)) {
        throw new CommandError(EXIT.notStarted, `"${file}" is used by the process ${holder}; wait for it, or end it`);
      }
      if (holder !== null) removeStale(path, holder);
    }
    return new LockFile(path);
  }

  [Symbol.dispose](): void {
    if (holderOf(this.#path) === process.pid) unlinkSync(this.#path);
  }
}

function create(path: string): boolean {
  try {
    const fd = openSync(path, "wx");
    writeSync(fd, `${process.pid}\n`);
    closeSync(fd);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST") return false;
    throw startError(`cannot lock "${path}"`, error);
  }
}

/** The process that has the lock; null if there is none any more. 0 for a file in which no process stands. */
function holderOf(path: string): number | null {
  try {
    const [, digits = "0"] = /^(\d{1,10})\n/.exec(readFileSync(path, "latin1")) ?? [];
    return Number(digits);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return null;
    throw startError(`cannot read "${path}"`, error);
  }
}

function isAlive(pid: number): boolean {
  // After a restart of a container the id may be ours again.
  if (pid === 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) === "EPERM";
  }
}

/** Moves the lock aside before it is removed: what somebody else has put there meanwhile is put back. */
function removeStale(path: string, holder: number): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return;
    throw startError(`cannot lock "${path}"`, error);
  }
  if (holderOf(aside) !== holder) {
    try {
      linkSync(aside, path);
    } catch (error) {
      if (systemCodeOf(error) !== "EEXIST") throw startError(`cannot lock "${path}"`, error);
    }
  }
  unlinkSync(aside);
}
