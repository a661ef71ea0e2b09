// Writes bytes to a file descriptor without blocking the event loop.

import { write } from "node:fs";

import { cancellable, sleep } from "meanwhile";

import { CommandError, EXIT, startError, systemCodeOf } from "../errors.ts";

const AGAIN_MS = 5;

/**
 * Writes all of it. `name` is how errors call what it goes to.
 *
 * Cancellation: ends it after any number of bytes.
 *
 * @throws {@link CommandError} with exit code 141, and no text, if the reader is gone; with 3 for any other failure
 */
export async function writeAll(fd: number, name: string, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    try {
      at += await cancellable(writeSome(fd, bytes, at));
    } catch (error) {
      const code = systemCodeOf(error);
      if (code === "EPIPE") throw new CommandError(EXIT.brokenPipe, "", { cause: error });
      if (code === undefined) throw error;
      // Another process has switched the shared pipe to non-blocking, and it is full.
      if (code !== "EAGAIN") throw startError(`cannot write to ${name}`, error);
      await sleep(AGAIN_MS);
    }
  }
}

async function writeSome(fd: number, bytes: Uint8Array, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, at, bytes.length - at, null, (error, written) =>
      error === null ? resolve(written) : reject(error),
    );
  });
}
