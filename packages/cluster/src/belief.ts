// What a client believes of what it reads: whoever can write into the queue, or publish, can lie.

import type { ClientJob } from "./client-job.ts";
import type { ClientSettings } from "./options.ts";
import { type Seal, sealWith } from "./seal.ts";
import type { ServerClock } from "./server-clock.ts";
import { type Outcome, readOutcome, readProgress } from "./wire.ts";

/** What one client believes. */
export class Belief {
  readonly seal: Seal;
  readonly #settings: ClientSettings;
  readonly #clock: ServerClock;

  constructor(settings: ClientSettings, clock: ServerClock) {
    this.#settings = settings;
    this.#clock = clock;
    this.seal = sealWith(settings.secret);
  }

  /** How a job has ended; null if nobody who may say so has written the text. */
  end({ id }: ClientJob, text: string): Outcome | null {
    try {
      return readOutcome(this.seal.open(`end ${this.#settings.queue} ${id}`, text));
    } catch {
      return null;
    }
  }

  /**
   * Whether the end is older than any that is kept. What was signed once is signed for ever: somebody could have kept it, and
   * put it where that of a later job of the same key belongs.
   */
  isExpired({ terms }: ClientJob, { at = null }: Outcome): boolean {
    const { secret, keepMs } = this.#settings;
    return secret !== null && terms.key !== null && at !== null && this.#clock.msUntil(at + keepMs) < 0;
  }

  /** What a job has reported, still a table. @throws {@link ClusterError} `MW_ERR_CLUSTER_REFUSED` */
  progress({ id }: ClientJob, text: string): unknown {
    return readProgress(this.seal.open(`progress ${this.#settings.queue} ${id}`, text));
  }

  /** Why the queue has given a job up. That is not signed. */
  reason(why: string): string {
    return this.#settings.secret === null ? why : "the queue says that too many workers were lost with it";
  }
}
