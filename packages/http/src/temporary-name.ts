// Names of files that are on their way to another name: NAME.mw-HOST-PID-NUMBER.part. Whoever comes later sees from it
// whose they were, and can remove what a process has left that was killed; the command `meanwhile fetch` does.

import { createHash, randomInt } from "node:crypto";
import { hostname } from "node:os";

const MOST = 2 ** 47;

let host: string | undefined;

/** A name beside the path that nobody else has, and nobody can guess. */
export function temporaryNameOf(path: string): string {
  // Disks are shared, numbers of processes are not.
  host ??= createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
  return `${path}.mw-${host}-${process.pid}-${randomInt(MOST)}.part`;
}
