// What a worker says of its jobs, as its pool takes it.

import type { EncodedError } from "./encode-error.ts";
import { FINISHED, REVOKED } from "./ledger.ts";
import { notCloneable } from "./pool-errors.ts";
import type { PoolJob } from "./pool-job.ts";
import { decodeError } from "./remote-error.ts";
import type { Slots } from "./slots.ts";
import * as wire from "./wire.ts";
import type { WorkerOwner } from "./worker-owner.ts";

/** Takes the records of a message that are about jobs. */
export class JobReplies {
  readonly #slots: Slots;
  readonly #owner: WorkerOwner;

  constructor(slots: Slots, owner: WorkerOwner) {
    this.#slots = slots;
    this.#owner = owner;
  }

  /** Takes the record at this place; returns where the next one is, or -1 if it is not about a job. */
  take(message: readonly unknown[], at: number): number {
    const slot = message[at + 1] as number;
    switch (message[at]) {
      case wire.VALUE:
        this.#returned(this.#slots.close(slot), message[at + 2]);
        return at + 3;
      case wire.FAILURE:
        this.#threw(this.#slots.close(slot), message[at + 2] as EncodedError);
        return at + 3;
      case wire.CANCELLED:
        this.#cancelled(this.#slots.close(slot));
        return at + 2;
      case wire.SKIPPED:
        this.#skipped(this.#slots.close(slot));
        return at + 2;
      case wire.PROGRESS:
        this.#progressed(this.#slots.at(slot), message[at + 2]);
        return at + 3;
      case wire.UNSENDABLE:
        this.#unsendable(this.#slots.close(slot), message[at + 2] as string);
        return at + 3;
      default:
        return -1;
    }
  }

  /** What it had to say of the slot cannot be read: how its job has ended, or how far it is. */
  lost(slot: number, state: number): void {
    if (state === FINISHED || state === REVOKED) {
      this.#unsendable(this.#slots.close(slot), "the result is nested too deep to be read");
      return;
    }
    const job = this.#slots.at(slot);
    if (job === null) return;
    job.spoilt = "its progress is nested too deep to be read";
    this.#owner.mustEnd(job, job.spoilt);
  }

  #returned(job: PoolJob | null, value: unknown): void {
    if (job !== null) this.#owner.settled(job, "completed", () => job.listener.succeeded(job, value));
  }

  #threw(job: PoolJob | null, error: EncodedError): void {
    if (job === null) return;
    const makeError = (site = new Error()): unknown => decodeError(error, site);
    this.#owner.settled(job, "failed", () => job.listener.failed(job, makeError));
  }

  #unsendable(job: PoolJob | null, what: string): void {
    if (job === null) return;
    this.#owner.settled(job, "failed", () => job.listener.failed(job, () => notCloneable(job.name, what)));
  }

  #cancelled(job: PoolJob | null): void {
    if (job !== null) this.#owner.settled(job, "cancelled", () => job.listener.cancelled(job));
  }

  #progressed(job: PoolJob | null, value: unknown): void {
    job?.listener.progressed(job, value);
  }

  // The worker may have given in though the pool did: see file-ledger.ts.
  #skipped(job: PoolJob | null): void {
    if (job !== null) this.#owner.notBegun(job);
  }
}
