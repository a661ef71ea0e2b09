// What a client does from time to time, whether or not anything comes.
//
// Invariants
// - At most one beat and one look are under way. A look that is asked for meanwhile follows when that one has ended: what it
//   looks at may have been too early.
// - `#askedAt` is set exactly while the server has been asked and has not answered; too long, and every job fails.
// - Nothing of it runs in the scope of a caller, so the cancellation of one ends nothing of the others.

import type { ClientJob } from "./client-job.ts";
import type { Client } from "./client.ts";
import { detached, outside } from "./detached.ts";
import { ClusterError } from "./errors.ts";

const { clearInterval, performance, setImmediate, setInterval } = globalThis;

/** How many jobs are looked at in one go. */
const LOOKS = 1_000;
/** How often a cancellation is said again. */
const TELL_MS = 400;
/** How soon a server that has not answered is asked again. */
const AGAIN_MS = 1_000;

/** Looks after the jobs of a client that has said that it is there. */
export class Caretaker {
  readonly #client: Client;
  readonly #timer: ReturnType<typeof setInterval>;
  #isLooking = false;
  #isLookAsked = false;
  #beating: Promise<boolean> | null = null;
  #beatAt = performance.now();
  /** Since when the server has been asked without an answer; null if it has answered. */
  #askedAt: number | null = null;
  #toldAt = 0;

  constructor(client: Client) {
    this.#client = client;
    this.#timer = setInterval(() => outside(() => this.#tick()), Math.min(client.settings.pollMs, TELL_MS) / 2);
    // It is the connection that keeps a process alive, and jobs that run.
    this.#timer.unref();
    client.lookSoon = () => this.#lookSoon();
    client.sayThere = () => this.beat();
  }

  // What is being looked at now may have been asked for too early.
  #lookSoon(): void {
    if (this.#isLookAsked) return;
    this.#isLookAsked = true;
    setImmediate(() => {
      if (this.#isLooking) return;
      this.#isLookAsked = false;
      outside(() => this.#look(performance.now()));
    });
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #tick(): Promise<void> {
    const now = performance.now();
    const { lostAfterMs, unreachableMs } = this.#client.settings;
    const everyMs = Math.min(lostAfterMs / 5, unreachableMs / 4, this.#askedAt === null ? Infinity : AGAIN_MS);
    if (this.#beating === null && now - this.#beatAt >= everyMs) this.beat().catch(ignore);
    if (this.#askedAt !== null && now - this.#askedAt > unreachableMs) this.#failAll(now - this.#askedAt);
    if (now - this.#toldAt >= TELL_MS) {
      this.#toldAt = now;
      this.#client.canceller.tick(now);
      this.#client.answered.sweep();
    }
    if (!this.#isLooking) await this.#look(now);
  }

  /** Says that this client is there, and compares the clocks. Whether the server has answered. */
  beat(): Promise<boolean> {
    this.#beating ??= detached(() => this.#beat()).then((ending) => {
      this.#beating = null;
      return ending.kind === "value" && ending.value;
    });
    return this.#beating;
  }

  async #beat(): Promise<boolean> {
    const before = performance.now();
    this.#beatAt = before;
    this.#askedAt ??= before;
    try {
      await this.#client.clock.read();
      this.#client.heard();
      this.#askedAt = null;
      return true;
    } catch {
      // The next one may come through.
      return false;
    }
  }

  #failAll(ms: number): void {
    const seconds = Math.round(ms / 1_000);
    for (const job of this.#client.jobs()) {
      this.#client.failed(job, () => unreachable(job.name, this.#client.settings.name, seconds));
    }
  }

  async #look(now: number): Promise<void> {
    const { pollMs } = this.#client.settings;
    const jobs: ClientJob[] = [];
    for (const job of this.#client.jobs()) {
      if (job.isToBeLookedAt(now, pollMs)) jobs.push(job);
      if (jobs.length === LOOKS) break;
    }
    if (jobs.length === 0) return;
    this.#isLooking = true;
    try {
      const found = await this.#client.port.look(jobs.map(({ id }) => id));
      this.#client.heard();
      for (const [index, what] of found.entries()) this.#client.found(jobs[index] as ClientJob, what);
    } catch {
      // The next look may come through.
    } finally {
      this.#isLooking = false;
      if (this.#isLookAsked) {
        this.#isLookAsked = false;
        this.#lookSoon();
      }
    }
  }
}

function unreachable(job: string, name: string, seconds: number): ClusterError {
  return new ClusterError(
    "MW_ERR_CLUSTER_UNREACHABLE",
    `Cannot tell how "${job}" has ended: the server of ${name} could not be reached for ${seconds} s; see 'unreachableMs'`,
  );
}

function ignore(): void {}
