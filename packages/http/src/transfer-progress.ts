// How far a transfer is, told now and then.

import { now } from "meanwhile";

import { reportRejection } from "./callbacks.ts";

/** How far a file is. */
export interface TransferProgress {
  /** Bytes of the file that are there, those of earlier runs included. */
  readonly receivedBytes: number;
  /** How many it will have; undefined if the server does not say, or sends it compressed. */
  readonly totalBytes: number | undefined;
  /** How many were there before this call. */
  readonly resumedFrom: number;
}

/** What is called with it. What it throws ends the transfer. It is not waited for: what an async one rejects with is only reported. */
export type OnProgress = (progress: TransferProgress) => void;

const EVERY_MS = 100;

export class ProgressMeter {
  #lastAt = -Infinity;
  readonly #onProgress: OnProgress | undefined;
  readonly #totalBytes: number | undefined;
  readonly #resumedFrom: number;

  constructor(onProgress: OnProgress | undefined, totalBytes: number | undefined, resumedFrom: number) {
    this.#onProgress = onProgress;
    this.#totalBytes = totalBytes;
    this.#resumedFrom = resumedFrom;
  }

  /** So many bytes are there. */
  update(receivedBytes: number): void {
    if (this.#onProgress === undefined) return;
    const at = now();
    if (at - this.#lastAt < EVERY_MS) return;
    this.#lastAt = at;
    this.#tell(receivedBytes, this.#totalBytes);
  }

  /** All are there. */
  finish(receivedBytes: number): void {
    this.#tell(receivedBytes, receivedBytes);
  }

  #tell(receivedBytes: number, totalBytes: number | undefined): void {
    const progress = { receivedBytes, totalBytes, resumedFrom: this.#resumedFrom };
    reportRejection(this.#onProgress?.(progress), "onProgress failed");
  }
}
