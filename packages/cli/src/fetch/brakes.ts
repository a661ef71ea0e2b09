// Stops the whole run when it has used up what it may: bytes, room on the disk.

import { statfs } from "node:fs/promises";

import { CommandError, EXIT } from "../errors.ts";
import { formatBytes } from "../output/format.ts";
import type { Limits } from "./limits.ts";
import type { FailureCode } from "./record.ts";

/** How often the room on the disk is looked up, at most. */
const LOOK_EVERY_MS = 250;

/** The run cannot go on: it has used up its room. */
export class StopError extends CommandError {
  /** What the URL failed with that used the last of it. */
  readonly failureCode: FailureCode;

  constructor(failureCode: FailureCode, message: string) {
    super(EXIT.safetyLimit, message);
    this.failureCode = failureCode;
  }
}

export class Brakes {
  readonly #limits: Pick<Limits, "maxTotalBytes" | "minFreeBytes">;
  #bytes = 0;
  #lookedAt = -Infinity;

  constructor(limits: Pick<Limits, "maxTotalBytes" | "minFreeBytes">) {
    this.#limits = limits;
  }

  /** @throws {@link StopError} with exit code 4 if these bytes are more than may still come */
  countBytes(count: number): void {
    this.#bytes += count;
    const { maxTotalBytes } = this.#limits;
    if (this.#bytes <= maxTotalBytes) return;
    throw new StopError("too_large", `--max-total: more than ${formatBytes(maxTotalBytes)} came`);
  }

  /**
   * Looks whether the disk has room left, now and then.
   *
   * Cancellation: not noticed.
   *
   * @throws {@link StopError} with exit code 4 if it has not
   */
  async checkDisk(directory: string): Promise<void> {
    const { minFreeBytes } = this.#limits;
    const time = performance.now();
    if (minFreeBytes === 0 || time - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = time;
    const { bavail, bsize } = await statfs(directory);
    if (bavail * bsize >= minFreeBytes) return;
    this.#lookedAt = -Infinity;
    const left = `${formatBytes(bavail * bsize)} are left on the disk of "${directory}"`;
    throw new StopError("write", `--min-free: ${left}; ${formatBytes(minFreeBytes)} must stay free`);
  }
}

/** The disk is full. */
export function diskFull(directory: string): StopError {
  return new StopError("write", `no space left on the disk of "${directory}"`);
}
