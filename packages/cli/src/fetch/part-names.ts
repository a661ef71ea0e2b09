// Names of files that are not complete, from which a later run sees whose they were: NAME.mw-HOST-PID-NUMBER.part

import { hash } from "node:crypto";
import { lstat, opendir, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

import { systemCodeOf } from "../errors.ts";

/** How many files of a directory are looked at: a large one must not hold up the run. */
const MOST_LOOKED_AT = 10_000;
/** A file that grows has a writer, wherever that runs. */
const UNTOUCHED_MS = 60_000;

// Disks are shared, numbers of processes are not.
const HOST = hash("sha256", hostname(), "hex").slice(0, 8);
const PART = /\.mw-([0-9a-f]{8})-(\d{1,10})-\d+\.part$/;

let count = 0;

/** The name of a new file beside `path` that is to become it. */
export function partNameOf(path: string): string {
  count += 1;
  return `${path}.mw-${HOST}-${process.pid}-${count}.part`;
}

/**
 * Removes what runs have left in this directory that were killed. Failures are no harm.
 *
 * Cancellation: not noticed.
 */
export async function removeLeftParts(directory: string): Promise<void> {
  let looked = 0;
  try {
    for await (const { name } of await opendir(directory, { bufferSize: 256 })) {
      if (isLeft(name)) await removeIfOld(join(directory, name));
      looked += 1;
      if (looked >= MOST_LOOKED_AT) return;
    }
  } catch {
    // Who may not look may still write.
  }
}

function isLeft(name: string): boolean {
  const [, host, pid] = PART.exec(name) ?? [];
  return host === HOST && Number(pid) > 0 && Number(pid) !== process.pid && !isRunning(Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) !== "ESRCH";
  }
}

async function removeIfOld(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found?.isFile() === true && Date.now() - found.mtimeMs > UNTOUCHED_MS) await unlink(path).catch(() => {});
}
