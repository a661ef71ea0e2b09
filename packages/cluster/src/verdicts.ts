// What a worker says of the end of a job, in words that its client can read and check.

import { encodeValue } from "./encode.ts";
import type { Verdict } from "./engine.ts";
import { define } from "./error-classes.ts";
import type { WorkerIdentity } from "./errors.ts";
import type { JobEnding, RunningJob } from "./running-job.ts";
import type { Seal } from "./seal.ts";
import type { ServeSettings } from "./serve-options.ts";
import type { ServerClock } from "./server-clock.ts";
import { withoutOurEnd } from "./stacks.ts";
import { type JobHead, type Outcome, writeOutcome } from "./wire.ts";
import { leftBehind, notServed, tooLarge } from "./worker-errors.ts";

const { performance } = globalThis;

/** What stands before the reason of a cancellation, for those who look into the queue by other means. */
const CANCELLED = "cancelled: ";

/** The words of one worker. */
export class Verdicts {
  readonly #identity: WorkerIdentity;
  readonly #settings: ServeSettings;
  readonly #seal: Seal;
  readonly #clock: ServerClock;

  constructor(identity: WorkerIdentity, settings: ServeSettings, seal: Seal, clock: ServerClock) {
    this.#identity = identity;
    this.#settings = settings;
    this.#seal = seal;
    this.#clock = clock;
  }

  /**
   * What is said of a job that was begun.
   *
   * @throws what the client is to be told instead, if the result cannot be sent
   */
  of(id: string, { head, why, isGivenBack, isOrphan }: RunningJob, ending: JobEnding): Verdict {
    // What a function returns after it was asked to end may be half of it: that is for whoever has asked, and for nobody else.
    const isForOthers = isGivenBack || isOrphan || (head.isShared && why !== null);
    if (ending.kind === "value" && !isForOthers) return this.#succeeded(id, head, ending);
    if (ending.kind === "failure" && !isForOthers)
      return this.failed(id, isUnknown(ending.error) ? notServed(head.name, this.#identity) : ending.error);
    if (!isGivenBack) return this.cancelled(id, why ?? "", { isOrphan, hasBegun: true });
    return head.isIdempotent ? { kind: "back" } : this.failed(id, leftBehind(head.name));
  }

  #succeeded(id: string, { name }: JobHead, ending: Extract<JobEnding, { kind: "value" }>): Verdict {
    const { maxResultBytes } = this.#settings;
    const value = encodeValue(ending.value, `the result of "${name}"`);
    if (Buffer.byteLength(value) > maxResultBytes)
      throw tooLarge(`send the result of "${name}"`, "maxResultBytes", maxResultBytes);
    const outcome = { kind: "value", worker: this.#identity, ms: ending.ms, value: null } as const;
    return { kind: "value", text: this.#close(id, outcome, value) };
  }

  /** The job has failed, or could not be begun. */
  failed(id: string, error: unknown): Verdict {
    const message =
      error instanceof Error ? `${error.name}: ${error.message}` : "something was thrown that is no error";
    const text = this.#close(id, { kind: "failure", worker: this.#identity, value: null }, encodeThrown(error));
    return { kind: "failure", text, message: message.slice(0, 1_000) };
  }

  /** The job was asked to end, and has. */
  cancelled(id: string, why: string, { isOrphan, hasBegun }: { isOrphan: boolean; hasBegun: boolean }): Verdict {
    const text = this.#close(id, { kind: "cancelled", worker: this.#identity, why, isOrphan, hasBegun }, null);
    return { kind: "failure", text, message: `${CANCELLED}${why}` };
  }

  #close(id: string, outcome: Outcome, value: string | null): string {
    const at = this.#clock.at(performance.now());
    return this.#seal.close(`end ${this.#settings.queue} ${id}`, writeOutcome({ ...outcome, at }, value));
  }
}

/** Whether it says that the job was cancelled. */
export function isCancellation(verdict: Verdict): boolean {
  return verdict.kind === "failure" && verdict.message.startsWith(CANCELLED);
}

function isUnknown(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "MW_ERR_WORKER_UNKNOWN_FUNCTION";
}

/** What was thrown; if that cannot be sent, that it could not. */
function encodeThrown(error: unknown): string {
  if (Error.isError(error)) define(error, "stack", withoutOurEnd(String(error.stack)), false);
  try {
    return encodeValue(error, "what was thrown");
  } catch (refusal) {
    return encodeValue(refusal, "the error");
  }
}
