// Whether and how a job of a client begins again: the queue has forgotten it, somebody else of the same key has cancelled it, or
// the queue was without this client for too long.

import { cancelledByOthers, cutOff, resultLost } from "./client-errors.ts";
import type { ClientJob } from "./client-job.ts";
import type { Client } from "./client.ts";
import { outside } from "./detached.ts";
import type { Outcome } from "./wire.ts";

const { performance } = globalThis;

/** How often a job is put into the queue again. */
const MOST_RESENT = 20;

/** Puts jobs of a client into the queue again. */
export class Again {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** The queue does not know the job any more. */
  forgotten(job: ClientJob): void {
    if (job.cancelling !== null) this.#client.cancelled(job, job.cancelling.why);
    else if (job.terms.isIdempotent && job.resent < MOST_RESENT) this.#send(job);
    // Others of the same key take it out for a moment to begin it again.
    else if (job.terms.key !== null && !job.isMissed) job.isMissed = true;
    else this.#client.failed(job, () => resultLost(job));
  }

  /** The end that the queue has is older than it keeps any. */
  expired(job: ClientJob): void {
    if (job.terms.isIdempotent && this.mayBegin(job)) this.startOver(job);
    else this.#client.failed(job, () => resultLost(job));
  }

  /** A worker says that the job was cancelled. */
  endedEarly(job: ClientJob, { why, isOrphan, hasBegun }: Extract<Outcome, { kind: "cancelled" }>): void {
    const isWanted = job.cancelling === null && (job.terms.key !== null || isOrphan);
    if (!isWanted) this.#client.cancelled(job, why);
    else if (this.mayBegin(job) && (job.terms.isIdempotent || !isOrphan || !hasBegun)) this.startOver(job, isOrphan);
    else this.#client.failed(job, () => (isOrphan ? cutOff(job.name) : cancelledByOthers(job)));
  }

  /** Whether it was not put into the queue too often. */
  mayBegin(job: ClientJob): boolean {
    return job.resent < MOST_RESENT;
  }

  /** Somebody else has cancelled it: it is wanted all the same. */
  startOver(job: ClientJob, isOrphan = false): void {
    // Else it is on its way anyhow.
    if (job.state !== "sent") return;
    job.state = "new";
    outside(() => this.#startSoon(job, isOrphan));
  }

  async #startSoon(job: ClientJob, isOrphan: boolean): Promise<void> {
    const isClear = await this.#clearTheWay(job, isOrphan);
    if (job.state !== "new") return;
    if (isClear) return this.#send(job);
    job.state = "sent";
    job.heardAt = performance.now();
  }

  // As long as workers do not know that this client is there they would cancel the job again.
  async #clearTheWay({ id }: ClientJob, isOrphan: boolean): Promise<boolean> {
    if (isOrphan && !(await this.#client.sayThere())) return false;
    return await this.#client.port.forget(id).then(
      () => true,
      () => false,
    );
  }

  #send(job: ClientJob): void {
    job.resent += 1;
    this.#client.tally.resent += 1;
    this.#client.sender.send(job);
  }
}
