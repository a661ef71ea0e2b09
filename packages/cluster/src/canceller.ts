// Cancels jobs, wherever they are: not sent yet, in the queue, or in a worker that nobody knows.
//
// Workers are told by a message to all of them, and told again until the end of the job is known: a message may be lost,
// and a job may go from one worker to another.

import { type Cancelling, type ClientJob, type JobListener, showReason } from "./client-job.ts";
import type { Client } from "./client.ts";
import { writeToWorkers } from "./wire.ts";

const { performance, queueMicrotask } = globalThis;

/** How long, beside its time to end, a cancelled job may be without a sign before nobody waits for it any more. */
const CONFIRM_MS = 3_000;
/** After how long nobody tries any more to end a job that nobody waits for: by then the lease of a client would have run out. */
const GIVE_UP_MS = 60_000;

/** What a client wants to be ended. */
export class Canceller {
  readonly #client: Client;
  #toTell: ClientJob[] = [];

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Cancels a job. True if it has ended with that.
   *
   * @param by - who asks for it; nobody is told who is told by the answer
   */
  cancel(job: ClientJob, reason: unknown, by: JobListener | null): boolean {
    if (job.state === "done") return true;
    if (job.state === "new" && job.resent === 0) {
      this.#client.cancelled(job, showReason(reason), by);
      return true;
    }
    if (job.cancelling !== null) return false;
    job.cancelling = { why: showReason(reason), at: performance.now(), by };
    if (job.state === "sent") this.tell(job);
    return false;
  }

  /** Says that a job is cancelled, with all others of this turn. */
  tell(job: ClientJob): void {
    this.#toTell.push(job);
    if (this.#toTell.length === 1) queueMicrotask(() => this.#tellAll());
  }

  #tellAll(): void {
    const jobs = this.#toTell;
    this.#toTell = [];
    const { port, seal, settings } = this.#client;
    const cancel = jobs.map(({ id, cancelling }) => [id, cancelling?.why ?? ""] as const);
    const text = seal.close(`workers ${settings.queue}`, writeToWorkers({ cancel }));
    // What fails here is tried again with the next tick.
    port.publish(text).catch(ignore);
    for (const job of jobs) this.#withdraw(job).catch(ignore);
  }

  async #withdraw(job: ClientJob): Promise<void> {
    const isGone = await this.#client.port.withdraw(job.id).catch(() => false);
    if (isGone) this.#client.cancelled(job, job.cancelling?.why ?? "");
  }

  /** Says again what was not confirmed, and lets those go who have waited long enough. */
  tick(now: number): void {
    for (const job of this.#client.jobs()) {
      if (job.cancelling === null) continue;
      const waitedMs = now - job.cancelling.at;
      if (waitedMs > job.terms.graceMs + GIVE_UP_MS) this.#client.cancelled(job, job.cancelling.why);
      else if (job.state === "sent") this.tell(job);
      if (waitedMs > job.terms.graceMs + CONFIRM_MS) this.#letGo(job, job.cancelling);
    }
  }

  #letGo(job: ClientJob, { by, why }: Cancelling): void {
    if (job.cancelling !== null) job.cancelling.by = null;
    const leaving = by === null ? job.listeners : [by];
    job.listeners = job.listeners.filter((listener) => !leaving.includes(listener));
    for (const listener of leaving) listener.cancelled(why);
  }
}

function ignore(): void {}
