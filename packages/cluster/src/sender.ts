// Puts jobs into the queue: those of one turn at once, and no more than one batch at a time.
//
// Invariants
// - Each job is in the outbox, in the batch under way, or gone from both: sent, refused or done.
// - `#isSending` is true exactly while somebody will empty the outbox. A batch that met a server that is away goes back to
//   the front of it, so jobs keep their order.

import type { ClientJob } from "./client-job.ts";
import type { Client } from "./client.ts";
import { outside } from "./detached.ts";
import type { Submission } from "./engine.ts";
import { ClusterError } from "./errors.ts";

const { performance, queueMicrotask, setTimeout } = globalThis;

/** How many jobs are put into the queue at once. */
const BATCH = 500;
const BATCH_BYTES = 4 * 2 ** 20;
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1_000;

/** What a client has to put into the queue. */
export class Sender {
  readonly #client: Client;
  // Jobs that are done meanwhile stay until it is their turn.
  #outbox: ClientJob[] = [];
  #isSending = false;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Takes a job. */
  send(job: ClientJob): void {
    job.state = "new";
    this.#outbox.push(job);
    if (this.#isSending) return;
    this.#isSending = true;
    queueMicrotask(() => outside(() => this.#sendAll()));
  }

  async #sendAll(): Promise<void> {
    let waitMs = FIRST_WAIT_MS;
    for (let batch = this.#next(); batch.length > 0; batch = this.#next()) {
      try {
        await this.#client.port.submit(batch.map(submissionOf));
        this.#client.heard();
        for (const job of batch) this.#sent(job);
        waitMs = FIRST_WAIT_MS;
      } catch (error) {
        if (this.#client.state === "closed") this.#refuse(batch, error);
        else if (!this.#client.port.isPassing(error)) await this.#sendEach(batch, error);
        else {
          this.#outbox = [...batch, ...this.#outbox];
          await new Promise((resolve) => setTimeout(resolve, waitMs));
          waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
        }
      }
    }
    this.#isSending = false;
  }

  // It may be one of them that the server does not take.
  async #sendEach(batch: readonly ClientJob[], refusal: unknown): Promise<void> {
    if (batch.length === 1) return this.#refuse(batch, refusal);
    for (const job of batch) {
      try {
        await this.#client.port.submit([submissionOf(job)]);
        this.#sent(job);
      } catch (error) {
        if (this.#client.port.isPassing(error)) this.#outbox.push(job);
        else this.#refuse([job], error);
      }
    }
  }

  #next(): ClientJob[] {
    const batch: ClientJob[] = [];
    let taken = 0;
    let bytes = 0;
    for (const job of this.#outbox) {
      if (batch.length >= BATCH || bytes >= BATCH_BYTES) break;
      taken += 1;
      if (job.state === "done") continue;
      job.state = "sending";
      bytes += job.text.length;
      batch.push(job);
    }
    this.#outbox = this.#outbox.slice(taken);
    return batch;
  }

  #sent(job: ClientJob): void {
    // Nobody waits for it any more: without a word it would run all the same.
    if (job.state === "done" && job.terms.key === null) this.#client.canceller.tell(job);
    if (job.state !== "sending") return;
    job.state = "sent";
    job.sentAt = performance.now();
    // One that others share may have ended long ago.
    job.heardAt = job.terms.key === null ? job.sentAt : -Infinity;
    if (job.terms.key !== null) this.#client.lookSoon();
    if (job.cancelling !== null) this.#client.canceller.tell(job);
  }

  #refuse(batch: readonly ClientJob[], cause: unknown): void {
    for (const job of batch) this.#client.failed(job, () => refused(job.name, cause));
  }
}

function submissionOf({ id, name, text }: ClientJob): Submission {
  return { id, name, text };
}

function refused(name: string, cause: unknown): ClusterError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ClusterError("MW_ERR_CLUSTER_REFUSED", `Cannot put "${name}" into the queue: ${why}`, { cause });
}
