// A run of `meanwhile fetch`: one task reads the list, a number of workers make the requests, and every URL that was
// started gets exactly one record.

import { exponential, isCancelled, sleep, taskGroup, type TaskGroup } from "meanwhile";

import { CommandError } from "../errors.ts";
import { toSafeJson } from "../output/escape.ts";
import type { LineWriter } from "../output/line-writer.ts";
import { attempt, type AttemptOptions, type Outcome } from "./attempt.ts";
import { isRetriedFailure, isRetriedStatus } from "./failures.ts";
import type { FetchOptions } from "./options.ts";
import { type Failure, type FetchRecord, shownUrl } from "./record.ts";
import { Schedule } from "./schedule.ts";
import type { Statistics } from "./statistics.ts";
import { Target } from "./target.ts";
import { type BadLine, type OpenSource, readTargets } from "./targets.ts";

/** How many URLs are read ahead, so that a slow host at the head of the list does not hold up the others. */
const AHEAD = 10_000;
/** A host that wants to be left alone for longer is not waited for. */
const LONGEST_PAUSE_MS = 120_000;

const CANCELLED: Failure = { code: "cancelled", message: "the run was stopped" };

/** What a {@link Fetcher} works with. */
export interface FetcherOptions {
  readonly limits: Pick<FetchOptions, "concurrency" | "perHost" | "rate" | "retries">;
  readonly attempts: AttemptOptions;
  readonly writer: LineWriter;
  readonly statistics: Statistics;
}

export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #statistics: Statistics;
  readonly #schedule: Schedule;
  readonly #backoff = exponential({ baseMs: 500, factor: 2, maxMs: 30_000, jitter: "full" });
  #workers = 0;
  #readFailure: CommandError | undefined;
  // The owner of everything that happens later: retries, hosts that come back. Set while the run lasts.
  #timers: TaskGroup | undefined;

  constructor(options: FetcherOptions) {
    const { limits, statistics } = options;
    this.#options = options;
    this.#statistics = statistics;
    this.#schedule = new Schedule({
      perHost: limits.perHost,
      ratePerSecond: limits.rate,
      capacity: AHEAD,
      later: (delayMs, callback) => {
        this.#startTimer(async () => {
          await sleep(delayMs);
          callback();
        });
      },
    });
  }

  /**
   * Fetches everything the sources name.
   *
   * Cancellation: requests that run are given up; every URL that was started gets its record.
   *
   * @throws {@link CommandError} with exit code 3, after everything else is done, if a source could not be read on
   */
  async run(sources: readonly OpenSource[]): Promise<void> {
    try {
      await taskGroup(async (timers) => {
        this.#timers = timers;
        await taskGroup((workers) => this.#read(sources, workers));
        timers.cancel("everything is fetched"); // a host that still pauses is not waited for
      });
    } finally {
      for (const target of this.#schedule.drain()) if (target.attempts > 0) this.#recordCancelled(target);
    }
    if (this.#readFailure !== undefined) throw this.#readFailure;
  }

  async #read(sources: readonly OpenSource[], workers: TaskGroup): Promise<void> {
    try {
      for await (const batch of readTargets(sources)) {
        this.#statistics.read += batch.length;
        for (const item of batch) {
          if (item instanceof Target) await this.#add(item, workers);
          else await this.#refuse(item);
        }
      }
      this.#statistics.isTotal = true;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.#readFailure = error;
    } finally {
      this.#schedule.close();
    }
  }

  async #add(target: Target, workers: TaskGroup): Promise<void> {
    await this.#schedule.add(target);
    if (this.#workers >= this.#options.limits.concurrency || this.#schedule.idle > 0) return;
    this.#workers += 1;
    workers.createTask(() => this.#work(), { name: "worker" });
  }

  async #refuse({ index, text, problem }: BadLine): Promise<void> {
    const error: Failure = { code: "bad_url", message: problem };
    this.#record({ index, url: shownUrl(text), ok: false, bytes: 0, ms: 0, attempts: 0, error });
    await this.#options.writer.whenRoom();
  }

  async #work(): Promise<void> {
    for (let target = await this.#schedule.take(); target !== null; target = await this.#schedule.take()) {
      await this.#request(target);
      const room = this.#options.writer.whenRoom();
      if (room !== null) await room;
    }
  }

  async #request(target: Target): Promise<void> {
    if (this.#schedule.isRefused(target)) return this.#finish(target, { bytes: 0, failure: refusal() }, 0);
    const started = performance.now();
    target.attempts += 1;
    this.#statistics.running += 1;
    try {
      const outcome = await attempt(target, this.#options.attempts);
      this.#settle(target, outcome, performance.now() - started);
    } catch (error) {
      if (isCancelled(error)) this.#recordCancelled(target);
      throw error;
    } finally {
      this.#statistics.running -= 1;
    }
  }

  /** Records the outcome, or tries again later. */
  #settle(target: Target, outcome: Outcome, ms: number): void {
    const { retryAfterMs = 0, failure } = outcome;
    if (retryAfterMs > LONGEST_PAUSE_MS) {
      this.#schedule.refuseHost(target, retryAfterMs);
      this.#finish(target, { ...outcome, failure: refusal() }, ms);
      return;
    }
    if (retryAfterMs > 0) this.#schedule.pauseHost(target, retryAfterMs);
    if (failure !== undefined && target.attempts <= this.#options.limits.retries && mayPass(outcome, failure)) {
      this.#retryLater(target);
    } else this.#finish(target, outcome, ms);
  }

  #retryLater(target: Target): void {
    this.#statistics.retries += 1;
    this.#schedule.postpone(target);
    const delayMs = this.#backoff(target.attempts, undefined);
    this.#startTimer(async () => {
      try {
        await sleep(delayMs);
      } catch (error) {
        this.#recordCancelled(target);
        throw error;
      }
      this.#schedule.requeue(target);
    });
  }

  #startTimer(job: () => Promise<void>): void {
    const timers = this.#timers;
    if (timers !== undefined) timers.createTask(job, { name: "timer" });
  }

  #finish(target: Target, outcome: Outcome, ms: number): void {
    const { failure, retryAfterMs: _, ...rest } = outcome;
    const { index, text, attempts } = target;
    const { status, finalUrl, bytes, file, body, bodyBase64, redirects } = rest;
    // In the order of the fields in the line; JSON leaves out what is undefined.
    this.#record({
      index,
      url: shownUrl(text),
      finalUrl,
      status,
      ok: failure === undefined,
      bytes,
      ms: Math.round(ms * 100) / 100,
      attempts,
      file,
      body,
      bodyBase64,
      error: failure,
      redirects,
    });
    this.#schedule.finish(target);
  }

  #recordCancelled({ index, text, attempts }: Target): void {
    this.#record({ index, url: shownUrl(text), ok: false, bytes: 0, ms: 0, attempts, error: CANCELLED });
  }

  #record(record: FetchRecord): void {
    this.#statistics.count(record);
    this.#options.writer.write(`${toSafeJson(record)}\n`);
  }
}

function mayPass({ status = 0 }: Outcome, failure: Failure): boolean {
  return isRetriedFailure(failure) || isRetriedStatus(status);
}

function refusal(): Failure {
  return { code: "rate_limited", message: "the server wants to be left alone for more than 2 minutes" };
}
