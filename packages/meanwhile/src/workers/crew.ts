// The workers of a pool: started when there are jobs for them, sent away when there are none, replaced when they die.

import { warn } from "../errors.ts";
import type { StartWorker } from "./link.ts";
import { PoolWorker } from "./pool-worker.ts";
import type { PoolSettings } from "./settings.ts";
import type { WorkerOwner } from "./worker-owner.ts";

const { clearTimeout, performance, setTimeout } = globalThis;

/** How long no worker is started after one could not be, at first and at most. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** The workers that have not ended. */
export class Crew {
  readonly #settings: PoolSettings;
  readonly #start: StartWorker;
  readonly #owner: WorkerOwner;
  readonly #workers = new Set<PoolWorker>();
  // Those that were sent away, until they have ended or their time is up.
  readonly #leaving = new Map<PoolWorker, ReturnType<typeof setTimeout>>();
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #count = 0;
  #pauseMs = FIRST_PAUSE_MS / 2;
  #pausedUntil = 0;
  // Why one could not be started, until it is known whether another one can.
  #untold: (() => unknown) | null = null;

  constructor(settings: PoolSettings, start: StartWorker, owner: WorkerOwner) {
    this.#settings = settings;
    this.#start = start;
    this.#owner = owner;
  }

  /** Every worker, the leaving ones included. */
  get all(): ReadonlySet<PoolWorker> {
    return this.#workers;
  }

  /** How many load the module or work, without those that are to leave. */
  get size(): number {
    let size = 0;
    for (const { state } of this.#workers) if (state === "starting" || state === "ready") size += 1;
    return size;
  }

  // How many of them have run as many jobs as they may: they leave as soon as those have ended.
  get #exhausted(): number {
    let count = 0;
    for (const worker of this.#workers) if (worker.state === "ready" && this.#isExhausted(worker)) count += 1;
    return count;
  }

  #isExhausted({ taken }: PoolWorker): boolean {
    return taken >= this.#settings.maxJobsPerWorker;
  }

  /** Whether one still loads the module. */
  get isStarting(): boolean {
    for (const { state } of this.#workers) if (state === "starting") return true;
    return false;
  }

  /** Those that can be sent jobs now; the one with the fewest first, and of the idle ones the one that worked last. */
  get ready(): PoolWorker[] {
    const ready: PoolWorker[] = [];
    for (const worker of this.#workers) if (worker.state === "ready") ready.push(worker);
    return ready.length < 2 ? ready : ready.toSorted((a, b) => a.load - b.load || b.heardAt - a.heardAt);
  }

  /** Starts workers until there are so many, but never more than the pool may have. */
  growTo(wanted: number): void {
    const { threads, module, initializer, concurrency, name } = this.#settings;
    const isPaused = performance.now() < this.#pausedUntil && (this.ready.length > 0 || this.isStarting);
    if (wanted !== Infinity && isPaused) return;
    const most = Math.min(threads, wanted + this.#exhausted);
    for (let size = this.size; size < most; size++) {
      const setup = { module, initializer, concurrency, name: `${name} ${++this.#count}` };
      this.#workers.add(new PoolWorker(this.#owner, this.#start, setup));
    }
  }

  /** One could not be started though another one works, or may yet: the next one is tried later, and ever later. */
  startFailed(makeError: () => unknown): void {
    if (performance.now() < this.#pausedUntil) return; // they were started together
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
    this.#pausedUntil = performance.now() + this.#pauseMs;
    this.#untold = makeError;
    if (this.ready.length > 0) this.startSucceeded();
  }

  /** One works: if others could not be started, that is worth a warning. */
  startSucceeded(): void {
    if (this.#untold === null) return;
    const error = this.#untold();
    this.#untold = null;
    const why = error instanceof Error ? error.message : String(error);
    warn(
      "MW_WARN_WORKER_START",
      `A worker of ${this.#settings.name} could not be started; the others go on, and it is tried again in ${this.#pauseMs} ms: ${why}`,
    );
  }

  /** Sends away a worker that has nothing to do. One that does not leave in time is killed. */
  dismiss(worker: PoolWorker): void {
    if (this.#leaving.has(worker) || worker.state === "ended") return;
    worker.dismiss();
    const { graceMs } = this.#settings;
    if (graceMs !== Infinity) this.#leaving.set(worker, setTimeout(() => worker.kill(), graceMs).unref());
  }

  /** Goes on with a worker that is to leave: see pool-core.ts on cancelling. */
  release(worker: PoolWorker): void {
    if (worker.jobs.length > 0) return;
    if (worker.load === 0) this.dismiss(worker);
    else worker.kill();
  }

  /** The worker has nothing to do. */
  becameIdle(worker: PoolWorker): void {
    const { idleTimeoutMs } = this.#settings;
    if (this.#isExhausted(worker)) this.dismiss(worker);
    else if (idleTimeoutMs !== Infinity && this.#idleTimer === undefined) this.#checkIdleIn(idleTimeoutMs);
  }

  #checkIdleIn(ms: number): void {
    this.#idleTimer = setTimeout(() => this.#dismissIdle(), ms).unref();
  }

  #dismissIdle(): void {
    this.#idleTimer = undefined;
    const { minThreads, idleTimeoutMs } = this.#settings;
    const now = performance.now();
    let spare = this.size - minThreads;
    let next = Infinity;
    for (const worker of this.#workers) {
      if (worker.state !== "ready" || worker.load > 0 || spare <= 0) continue;
      const left = worker.heardAt + idleTimeoutMs - now;
      if (left > 0) next = Math.min(next, left);
      else {
        this.dismiss(worker);
        spare -= 1;
      }
    }
    if (next !== Infinity) this.#checkIdleIn(Math.ceil(next));
  }

  /** The worker has ended. */
  remove(worker: PoolWorker): void {
    clearTimeout(this.#leaving.get(worker));
    this.#leaving.delete(worker);
    this.#workers.delete(worker);
  }

  /** Sends everybody away who has nothing to do, or kills everybody. */
  dismissAll(): void {
    clearTimeout(this.#idleTimer);
    for (const worker of this.#workers) {
      if (worker.state === "starting") worker.kill();
      else this.#endSoon(worker);
    }
  }

  // It may have something to do still that nobody waits for: what was taken back, or given up.
  #endSoon(worker: PoolWorker): void {
    if (worker.load > 0) worker.retire();
    this.dismiss(worker);
  }

  killAll(): void {
    for (const worker of this.#workers) worker.kill();
  }
}
