// Writes bytes to a file descriptor without blocking the event loop.

import { write } from "node:fs";

import { cancellable, sleep } from "meanwhile";

import { CommandError, EXIT, startError, systemCodeOf } from "../errors.ts";

/** How long a full pipe is left alone: twice as long every time. */
const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 20;

/**
 * Writes all of it. `name` is how errors call what it goes to.
 *
 * @param isLate - asked whenever a pipe is full; true gives the rest up
 * @returns whether all of it is written
 *
 * Cancellation: ends it after any number of bytes.
 *
 * @throws {@link CommandError} with exit code 141, and no text, if the reader is gone; with 4 for a full disk, with 3 for any other failure
 */
export async function writeAll(
  fd: number,
  name: string,
  bytes: Uint8Array,
  isLate: () => boolean = () => false,
): Promise<boolean> {
  let waitMs = FIRST_WAIT_MS;
  for (let at = 0; at < bytes.length;) {
    try {
      at += await cancellable(writeSome(fd, bytes, at));
      waitMs = FIRST_WAIT_MS;
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === "EPIPE") throw new CommandError(EXIT.brokenPipe, "", { cause: error });
      if (code === undefined) throw error;
      // Node has made the pipe one that does not block when process.stdout was first used, and it is full.
      if (code !== "EAGAIN") throw writeError(name, error);
      if (isLate()) return false;
      await sleep(waitMs);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    }
  }
  return true;
}

/** A disk that is full is a limit of safety, whatever is written to it. */
export function writeError(name: string, error: unknown): CommandError {
  const { message, exitCode } = startError(`cannot write to ${name}`, error);
  const isFull = FULL.has(systemCodeOf(error));
  return new CommandError(isFull ? EXIT.safetyLimit : exitCode, message, { cause: error });
}

const FULL: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT"]);

async function writeSome(fd: number, bytes: Uint8Array, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, at, bytes.length - at, null, (error, written) =>
      error === null ? resolve(written) : reject(error),
    );
  });
}
