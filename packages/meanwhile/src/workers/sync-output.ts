// What a thread writes while the one that started it stands still: at once and in order, past the streams that would wait for it.

import { writeSync } from "node:fs";

import { pauseThread } from "./blocking.ts";

/** Makes stdout and stderr of this thread write to the files themselves. */
export function writeAtOnce(): void {
  for (const [stream, fd] of [
    [process.stdout, 1],
    [process.stderr, 2],
  ] as const) {
    stream._write = (chunk: Uint8Array | string, _encoding, callback) => {
      callback(errorOfWriting(fd, typeof chunk === "string" ? Buffer.from(chunk) : chunk));
    };
    Object.assign(stream, { _writev: null });
  }
}

/** Writes all of the bytes; gives what went wrong, if anything did. */
function errorOfWriting(fd: number, bytes: Uint8Array): Error | null {
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      if (!(error instanceof Error)) return null;
      if (!("code" in error) || error.code !== "EAGAIN") return error;
      pauseThread(1); // a pipe that is full and does not block
    }
  }
  return null;
}
