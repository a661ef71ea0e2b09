// A run of `meanwhile fetch`: one task reads the list, a number of workers make the requests, and every URL that was
// started gets exactly one record.
//
//   running ──stop()──▶ stopping: nothing is begun any more, what runs may end ──grace──▶ what still runs is given up

import { currentTask, exponential, isCancelled, sleep, type Task, taskGroup, type TaskGroup } from "meanwhile";

import { CommandError, EXIT } from "../errors.ts";
import { attempt, type AttemptOptions, type Outcome } from "./attempt.ts";
import { StopError } from "./brakes.ts";
import { mayRetry } from "./failures.ts";
import { HostPolicy } from "./host-policy.ts";
import { Intake, type IntakeOptions } from "./intake.ts";
import type { Ledger } from "./ledger.ts";
import type { FetchOptions } from "./options.ts";
import { recordOf } from "./record.ts";
import { Schedule } from "./schedule.ts";
import type { Statistics } from "./statistics.ts";
import { CANCELLED, RATE_LIMITED, refusalOf, type Stop, StopSwitch } from "./stop.ts";
import type { Target } from "./target.ts";
import type { Trace } from "./trace.ts";

/** How many URLs are read ahead, so that a slow host at the head of the list does not hold up the others. */
const AHEAD = 10_000;

/** What a {@link Fetcher} works with. */
export interface FetcherOptions extends Omit<IntakeOptions, "schedule" | "io" | "plan" | "saver" | "refused"> {
  readonly options: FetchOptions;
  readonly attempts: AttemptOptions;
  readonly ledger: Ledger;
  readonly statistics: Statistics;
  readonly trace: Trace | undefined;
  /** Makes the attempts instead, if they are not made here. */
  readonly far: { attempt(target: Target): Promise<Outcome> } | undefined;
}

export class Fetcher {
  readonly #parts: FetcherOptions;
  readonly #schedule: Schedule;
  readonly #policy: HostPolicy;
  readonly #intake: Intake;
  readonly #backoff = exponential({ baseMs: 500, factor: 2, maxMs: 30_000, jitter: "full" });
  readonly #stop = new StopSwitch();
  // Those that wait for a URL, and those that wait to try one again: a stop ends their waiting.
  readonly #idle = new Set<Task<unknown>>();
  readonly #postponed = new Map<Target, Task<unknown> | undefined>();
  #workers = 0;
  #readFailure: CommandError | undefined;
  // The owner of everything that happens later: retries, hosts that come back. Set while the run lasts.
  #timers: TaskGroup | undefined;

  constructor(parts: FetcherOptions) {
    const { options } = parts;
    this.#parts = parts;
    this.#schedule = new Schedule({
      perHost: options.perHost,
      ratePerSecond: options.rate,
      perHostRatePerSecond: options.perHostRate,
      capacity: AHEAD,
      later: (delayMs, callback) => void this.#callLater(delayMs, callback),
    });
    this.#policy = new HostPolicy(this.#schedule, options);
    this.#intake = new Intake({
      ...parts,
      io: options,
      plan: options.plan,
      schedule: this.#schedule,
      saver: parts.attempts.saver,
      refused: () => this.#stopAtFailures(),
    });
  }

  /** Why the run was stopped. */
  get stopped(): Stop | undefined {
    return this.#stop.reason;
  }

  /** Ends the run early. Only the first reason counts; a later one may leave less time. */
  stop(reason: Stop): void {
    this.#stop.turn(reason);
  }

  /**
   * Fetches everything the sources name.
   *
   * Cancellation: requests that run are given up; every URL that was started gets its record.
   *
   * @throws {@link CommandError} with exit code 3, after everything else is done, if a source could not be read on
   */
  async run(): Promise<void> {
    try {
      await taskGroup(async (timers) => {
        this.#timers = timers;
        await taskGroup(async (workers) => {
          const reader = workers.createTask(() => this.#read(workers), { name: "reader of the list" });
          timers.createTask(() => this.#stopWhenAsked(reader, workers), { name: "stop" });
          timers.createTask(() => this.#stopAtDeadline(), { name: "deadline" });
        });
        timers.cancel("everything is fetched"); // a host that still pauses is not waited for
      });
    } finally {
      const left = [...this.#schedule.drain(), ...this.#postponed.keys()];
      for (const target of left) if (target.attempts > 0) this.#recordCancelled(target);
      this.#parts.ledger.flush();
    }
    if (this.#readFailure !== undefined) throw this.#readFailure;
  }

  async #stopAtDeadline(): Promise<void> {
    const { deadlineMs } = this.#parts.options;
    if (deadlineMs === Infinity) return;
    await sleep(deadlineMs);
    this.stop({ by: "--deadline", exitCode: EXIT.deadline, graceMs: 0 });
  }

  async #stopWhenAsked(reader: Task<unknown>, workers: TaskGroup): Promise<void> {
    const { by } = await this.#stop.whenTurned();
    for (const task of [reader, ...this.#idle, ...this.#postponed.values()]) task?.cancel(by);
    await this.#stop.whenOver();
    workers.cancel(by);
  }

  async #read(workers: TaskGroup): Promise<void> {
    try {
      await this.#intake.read((target) => this.#add(target, workers));
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.#readFailure = error;
    } finally {
      this.#schedule.close();
    }
  }

  async #add(target: Target, workers: TaskGroup): Promise<void> {
    await this.#schedule.add(target);
    if (this.#workers >= this.#parts.options.concurrency || this.#schedule.idle > 0) return;
    this.#workers += 1;
    workers.createTask(() => this.#work(), { name: "worker" });
  }

  async #work(): Promise<void> {
    const { ledger, trace } = this.#parts;
    const self = currentTask();
    for (let target = await this.#take(self); target !== null; target = await this.#take(self)) {
      await this.#request(target);
      const room = ledger.whenRoom();
      if (room !== null) await room;
      const traceRoom = trace?.whenRoom() ?? null;
      if (traceRoom !== null) await traceRoom;
    }
  }

  async #take(worker: Task<unknown>): Promise<Target | null> {
    if (this.#isStopping()) return null;
    this.#idle.add(worker);
    try {
      const target = await this.#schedule.take();
      if (target === null || !this.#isStopping()) return target;
      if (target.attempts > 0) this.#recordCancelled(target);
      return null;
    } finally {
      this.#idle.delete(worker);
    }
  }

  #isStopping(): boolean {
    return this.#stop.reason !== undefined;
  }

  async #request(target: Target): Promise<void> {
    const refusal = refusalOf(target.host);
    if (refusal !== undefined) return this.#finish(target, { bytes: 0, failure: refusal }, 0);
    const { statistics, trace } = this.#parts;
    const started = performance.now();
    const span = trace?.begin();
    let outcome: Outcome | undefined;
    target.attempts += 1;
    statistics.running += 1;
    try {
      const { far, attempts } = this.#parts;
      outcome = far === undefined ? await attempt(target, attempts) : await far.attempt(target);
    } catch (error) {
      if (isCancelled(error)) this.#recordCancelled(target);
      if (!(error instanceof StopError)) throw error;
      this.stop({ by: error.message, exitCode: error.exitCode, graceMs: 0 });
      outcome = { bytes: 0, failure: { code: error.failureCode, message: error.message } };
    } finally {
      statistics.running -= 1;
      if (span !== undefined) trace?.end(span, target, outcome);
    }
    this.#settle(target, outcome, started);
  }

  /** Records the outcome, or tries again later. */
  #settle(target: Target, outcome: Outcome, started: number): void {
    const rest = this.#policy.observe(target, outcome, started);
    // What leads to another host would lead there again at once.
    const isLast = target.attempts > this.#parts.options.retries || this.#isStopping() || rest === "elsewhere";
    if (isLast && rest !== "none" && outcome.failure !== undefined) outcome.failure = RATE_LIMITED;
    if (isLast || this.#parts.attempts.printer?.hasBegun === true || !mayRetry(target, outcome, this.#parts.options)) {
      this.#finish(target, outcome, performance.now() - started);
      return;
    }
    this.#parts.statistics.retries += 1;
    this.#schedule.postpone(target);
    if (rest === "deferred") this.#schedule.requeue(target);
    else this.#retryLater(target, outcome.retryAfterMs);
  }

  #retryLater(target: Target, retryAfterMs: number = 0): void {
    const delayMs = Math.max(retryAfterMs, this.#backoff(target.attempts, undefined));
    const retry = (): void => {
      this.#postponed.delete(target);
      this.#schedule.requeue(target);
    };
    this.#postponed.set(target, this.#callLater(delayMs, retry));
  }

  #callLater(delayMs: number, callback: () => void): Task<unknown> | undefined {
    const job = async (): Promise<void> => {
      await sleep(delayMs);
      callback();
    };
    return this.#timers?.createTask(job, { name: "timer" });
  }

  #finish(target: Target, outcome: Outcome, ms: number): void {
    this.#record(target, outcome, ms);
    this.#schedule.finish(target);
  }

  #recordCancelled(target: Target): void {
    this.#record(target, { bytes: 0, failure: CANCELLED }, 0);
  }

  #record(target: Target, outcome: Outcome, ms: number): void {
    const { ledger, statistics } = this.#parts;
    ledger.record(recordOf(target, outcome, ms), target.key);
    this.#intake.release(target);
    if (outcome.resumedFrom !== undefined) statistics.resumed += 1;
    this.#stopAtFailures();
  }

  #stopAtFailures(): void {
    if (this.#parts.statistics.failed < this.#parts.options.maxErrors) return;
    this.stop({ by: "--max-errors", exitCode: EXIT.tooManyErrors, graceMs: 0 });
  }
}
