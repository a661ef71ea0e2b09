// Cancels jobs, wherever they are: not sent yet, in the queue, or in a worker that nobody knows.
//
// Workers are told by a message to all of them, and told again until the end of the job is known: a message may be lost,
// and a job may go from one worker to another.
//
// Invariants
// - A job is cancelled once: `cancelling` is set from then on, and the first reason stays.
// - One that was never sent ends at once; of one that may have been, somebody tries to end it until its end is known, or
//   until nobody can be told any more.

import { type Cancelling, type ClientJob, type JobListener, showReason } from "./client-job.ts";
import type { Client } from "./client.ts";
import { outside } from "./detached.ts";
import { encodeValue } from "./encode.ts";
import type { Seal } from "./seal.ts";
import { readJob, type ToWorkers, writeJob, writeToWorkers } from "./wire.ts";

const { performance, queueMicrotask } = globalThis;

/** How long, beside its time to end, a cancelled job may be without a sign before nobody waits for it any more. */
const CONFIRM_MS = 3_000;
/** How long the server may say nothing before nobody waits for what only it could tell. */
const UNHEARD_MS = 500;
/** After how long nobody tries any more to end a job that nobody waits for, at least. */
const GIVE_UP_MS = 60_000;
/** How much longer a text may become when it is closed. */
const SEAL_BYTES = 200;

/** What a client wants to be ended. */
export class Canceller {
  readonly #client: Client;
  #toTell: ClientJob[] = [];
  /** How many times something was said without an answer of the server; what is said while it is away would pile up. */
  #unanswered = 0;

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
    job.cancelling = { why: showReason(reason), at: performance.now(), unheard: 0, by };
    if (job.state === "sent") this.tell(job);
    return false;
  }

  /** Says that a job is cancelled, with all others of this turn. */
  tell(job: ClientJob): void {
    this.#toTell.push(job);
    if (this.#toTell.length === 1) queueMicrotask(() => outside(() => this.#tellAll()));
  }

  async #tellAll(): Promise<void> {
    const jobs = this.#toTell;
    this.#toTell = [];
    const { port, seal, settings } = this.#client;
    const cancel = jobs.map(({ id, cancelling }) => [id, cancelling?.why ?? ""] as const);
    const texts = inTexts(cancel, port.maxTextBytes - SEAL_BYTES).map((part) =>
      seal.close(`workers ${settings.queue}`, writeToWorkers({ cancel: part })),
    );
    // What fails here is tried again with the next tick.
    this.#unanswered += 1;
    const publishing = port.publish(texts).then(() => this.#client.heard());
    await Promise.allSettled([publishing, ...jobs.map((job) => this.#withdraw(job))]);
    this.#unanswered -= 1;
  }

  async #withdraw(job: ClientJob): Promise<void> {
    const { port, settings, seal } = this.#client;
    // Others of the same key may want it: it stays, and whoever begins it says that it is cancelled.
    const withdrawing =
      job.terms.key === null
        ? port.withdraw(job.id)
        : port.replace(job.id, withdrawn(seal, `job ${settings.queue} ${job.id}`, job.text));
    if (await withdrawing.catch(() => false)) this.#client.cancelled(job, job.cancelling?.why ?? "");
  }

  /** Says again what was not confirmed, and lets those go who have waited long enough. */
  tick(now: number): void {
    // One whose worker was lost begins again when that is noticed, and would run to its end if nobody said any more that it is
    // cancelled.
    const giveUpMs = Math.max(GIVE_UP_MS, 2 * this.#client.settings.lostAfterMs);
    for (const job of this.#client.jobs()) {
      if (job.cancelling === null) continue;
      const waitedMs = now - job.cancelling.at;
      if (waitedMs > job.terms.graceMs + giveUpMs) this.#client.cancelled(job, job.cancelling.why);
      else if (job.state === "sent" && this.#unanswered === 0) this.tell(job);
      if (this.#client.heardAt < job.cancelling.at) job.cancelling.unheard += 1;
      // Twice: what has come while this process did not look is not read yet.
      const isDeaf = waitedMs > UNHEARD_MS && job.cancelling.unheard > 1;
      if (isDeaf || waitedMs > job.terms.graceMs + CONFIRM_MS) this.#letGo(job, job.cancelling);
    }
  }

  #letGo(job: ClientJob, { by, why }: Cancelling): void {
    if (job.cancelling !== null) job.cancelling.by = null;
    const leaving = by === null ? job.listeners : [by];
    job.listeners = job.listeners.filter((listener) => !leaving.includes(listener));
    for (const listener of leaving) listener.cancelled(why);
    if (!this.#client.isWaitedFor) this.#client.ending.unparkAll();
  }
}

/** The text of a job that is withdrawn. */
function withdrawn(seal: Seal, use: string, text: string): string {
  const { head } = readJob(seal.open(use, text));
  return seal.close(use, writeJob({ ...head, isWithdrawn: true }, encodeValue([], "args")));
}

/** Parts whose texts are not too long. */
function inTexts(cancel: ToWorkers["cancel"], maxBytes: number): Array<ToWorkers["cancel"]> {
  const parts: Array<Array<ToWorkers["cancel"][number]>> = [[]];
  let bytes = 0;
  for (const one of cancel) {
    const length = Buffer.byteLength(JSON.stringify(one)) + 1;
    if (bytes + length > maxBytes && bytes > 0) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(one);
    bytes += length;
  }
  return parts;
}
