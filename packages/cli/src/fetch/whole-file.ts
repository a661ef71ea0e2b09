// Writes a small file in one go, without waiting: the system calls themselves take less time than handing them to another
// thread, one after the other, and hearing of their ends.

import { closeSync, constants, openSync, unlinkSync, writeSync } from "node:fs";
import { performance } from "node:perf_hooks";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/** How a new file is opened: nothing that is there is touched. */
export const NEW_FILE: number = O_CREAT | O_EXCL | O_WRONLY | (O_NOFOLLOW ?? 0); // Windows has no O_NOFOLLOW

/** Makes a file of these bytes. When it throws, there is none, unless there was one before. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, NEW_FILE, 0o666);
  try {
    writeFully(fd, bytes);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Writes all of these bytes where the file was written last. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

/** A disk, or a server behind it, that takes longer for a file than this is waited for elsewhere. */
const SLOW_MS = 5;
/** Then so many files go the other way before it is tried again. */
const AVOIDED = 100;

/** Says whether the disk is quick enough to wait for it. */
export class DiskPace {
  #avoided = 0;

  /** Whether the next file is to be written without handing it to another thread. To be asked once for each. */
  isQuick(): boolean {
    if (this.#avoided === 0) return true;
    this.#avoided -= 1;
    return false;
  }

  /** Runs `work`, which blocks, and takes note of how long that takes. */
  time<T>(work: () => T): T {
    const startedAt = performance.now();
    try {
      return work();
    } finally {
      if (performance.now() - startedAt > SLOW_MS) this.#avoided = AVOIDED;
    }
  }
}
