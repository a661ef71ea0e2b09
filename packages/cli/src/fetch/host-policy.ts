// What the answers of a host change for its other URLs: how many at once, a rest, or the end.

import type { Outcome } from "./attempt.ts";
import type { Host } from "./host.ts";
import type { Limits } from "./limits.ts";
import type { FailureCode } from "./record.ts";
import type { Schedule } from "./schedule.ts";
import type { Target } from "./target.ts";

/** How many answers raise the concurrency of a host by one. */
const ANSWERS_PER_STEP = 20;

const OVERLOADED: ReadonlySet<number | undefined> = new Set([429, 503]);
/** Attempts that brought no answer, or none that was complete. */
const WITHOUT_ANSWER: ReadonlySet<FailureCode | undefined> = new Set([
  "connect",
  "dns",
  "incomplete",
  "protocol",
  "reset",
  "stall",
  "timeout",
  "tls",
]);

export type LongRest = "none" | "deferred" | "elsewhere";

export class HostPolicy {
  readonly #schedule: Schedule;
  readonly #limits: Pick<Limits, "adaptive" | "perHost" | "maxHostErrors" | "retryMaxMs">;

  constructor(schedule: Schedule, limits: Pick<Limits, "adaptive" | "perHost" | "maxHostErrors" | "retryMaxMs">) {
    this.#schedule = schedule;
    this.#limits = limits;
  }

  /**
   * Takes note of an attempt that began at `startedAt` and is over now.
   *
   * @returns whether a host wants to be left alone for longer than anybody waits: that of the target, which is deferred
   * then, or one that redirects have led to
   */
  observe(target: Target, outcome: Outcome, startedAt: number): LongRest {
    const { retryAfterMs = 0, failure, status } = outcome;
    if (outcome.isLocal !== true) this.#countErrors(target, WITHOUT_ANSWER.has(failure?.code), startedAt);
    const isOverload = OVERLOADED.has(status) || failure?.code === "timeout" || failure?.code === "stall";
    if (this.#limits.adaptive) this.#adapt(target.host, isOverload, startedAt);
    if (retryAfterMs <= 0) return "none";
    const isLong = retryAfterMs > this.#limits.retryMaxMs;
    const origin = URL.parse(outcome.finalUrl ?? target.text)?.origin ?? target.origin;
    const isElsewhere = origin !== target.origin;
    const resting = isElsewhere ? { host: this.#schedule.hostOf(origin) } : target;
    if (!isLong) this.#schedule.pauseHost(resting, retryAfterMs);
    else this.#schedule.deferHost(resting, retryAfterMs);
    if (!isLong) return "none";
    return isElsewhere ? "elsewhere" : "deferred";
  }

  // At the end of a list only those are left that fail, one after the other: later tries say nothing about the host, and
  // neither does what began before its last answer.
  #countErrors(target: Target, isError: boolean, startedAt: number): void {
    const host = target.host;
    if (!isError) {
      host.errorsInRow = 0;
      host.answeredAt = performance.now();
      return;
    }
    if (target.attempts > 1 || startedAt < host.answeredAt) return;
    host.errorsInRow += 1;
    if (host.errorsInRow >= this.#limits.maxHostErrors) this.#schedule.breakHost(target);
  }

  // Additive increase, multiplicative decrease, as TCP does it.
  #adapt(host: Host, isOverload: boolean, startedAt: number): void {
    if (isOverload) {
      // What was under way when it was halved says nothing about the half.
      if (startedAt < host.halvedAt) return;
      host.halvedAt = performance.now();
      host.successes = 0;
      this.#schedule.allow(host, Math.max(1, Math.floor(host.allowed / 2)));
      return;
    }
    host.successes += 1;
    if (host.successes < ANSWERS_PER_STEP || host.allowed >= this.#limits.perHost) return;
    host.successes = 0;
    this.#schedule.allow(host, host.allowed + 1);
  }
}
