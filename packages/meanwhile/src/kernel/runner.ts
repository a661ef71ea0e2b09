// What all scopes of one run share: the clock and its deadlines, the background tasks, what happens at the end.
// There is one more runner, for code outside of any run: it has the system clock and owns nothing.

import type { Clock } from "../clock/clock.ts";
import { Deadlines } from "../clock/deadlines.ts";
import { SystemClock } from "../clock/system-clock.ts";
import { warn } from "../errors.ts";
import { describeWaitsIn } from "./await-stacks.ts";
import type { Director } from "./director.ts";
import type { CreationTicket } from "./never-awaited.ts";
import { Scope } from "./scope.ts";
import { stuckTasks, whereTaskWaits } from "./task-tree.ts";
import type { Job, TaskNode } from "./task.ts";

const { setTimeout, clearTimeout, performance } = globalThis;

/** Node's longest timer; a longer one would fire at once. */
const LONGEST_MS = 2_147_483_647;

/** How long a cancelled task may go on before it is named in a warning. */
export const DEFAULT_GRACE_MS = 5_000;

export interface RunnerOptions {
  readonly clock: Clock;
  readonly debug: boolean;
  readonly graceMs: number;
  readonly name: string;
}

/** The state shared by everything in one run. */
export class Runner {
  /** The name given to the run, for dumps. */
  readonly name: string;
  /** All deadlines of the run's clock. */
  readonly deadlines: Deadlines;
  /** Whether swallowed cancellations are reported. */
  readonly debug: boolean;
  /** How long a cancelled task may go on before it is named in a warning. */
  readonly graceMs: number;
  /** The root of the run's scopes. */
  readonly root: Scope;
  /** Starts a background task; null outside of runs and once the run has ended. */
  createTask: (<T>(job: Job<T>, name: string | undefined) => TaskNode<T>) | null = null;
  /** Ends the run with `DeadlockError`; null outside of runs. For clocks that know that nothing can happen any more. */
  declareDeadlock: (() => void) | null = null;
  /** Decides in place of chance in a test; null outside of tests. */
  director: Director | null;
  /** Called at the end of the run, newest first. */
  readonly exitCallbacks: Array<() => unknown> = [];
  /** Coroutines that were created in the run and not started yet. */
  readonly unstarted: Set<CreationTicket> = new Set();
  // Cancelled scopes that still have to end, in the order they were cancelled, with the time.
  readonly #watched = new Map<Scope, number>();
  #watch: ReturnType<typeof setTimeout> | undefined;

  constructor(parent: Scope | null, options: RunnerOptions) {
    this.name = options.name;
    this.deadlines = deadlinesOf(options.clock);
    this.debug = options.debug;
    this.graceMs = options.graceMs;
    this.director = parent?.runner.director ?? null;
    this.root = new Scope(parent, this, null, false);
  }

  /** What everything in the run reads the time from. */
  get clock(): Clock {
    return this.deadlines.clock;
  }

  /** Notes that the scope was cancelled; if tasks in it are still suspended after `graceMs`, a warning names them. */
  watchForStuckTasks(scope: Scope): void {
    if (this.graceMs === Infinity) return;
    this.#watched.set(scope, performance.now());
    if (this.#watch === undefined) this.#watchAgainIn(this.graceMs);
  }

  /** The scope has ended. */
  stopWatching(scope: Scope): void {
    this.#watched.delete(scope);
  }

  /** What is waited for in the scope, in a few words; see {@link describeWaitsIn}. */
  describeWaitsIn(scope: Scope): string {
    return describeWaitsIn(scope);
  }

  /** The run has ended: there is nothing left to watch. */
  close(): void {
    clearTimeout(this.#watch);
    this.#watched.clear();
  }

  #watchAgainIn(ms: number): void {
    // Real time, and unref'd: it must neither be skipped by a mock clock nor keep the process alive.
    this.#watch = setTimeout(() => this.#lookForStuckTasks(), Math.min(ms, LONGEST_MS)).unref();
  }

  #lookForStuckTasks(): void {
    this.#watch = undefined;
    const now = performance.now();
    for (const [scope, cancelledAt] of this.#watched) {
      const left = cancelledAt + this.graceMs - now;
      if (left > 0) {
        this.#watchAgainIn(left);
        return;
      }
      this.#watched.delete(scope);
      for (const task of stuckTasks(scope)) this.#reportStuck(task);
    }
  }

  #reportStuck(task: TaskNode): void {
    warn(
      "MW_WARN_STILL_SUSPENDED",
      `Task "${task.name}" was cancelled ${this.graceMs} ms ago and is still suspended: it waits for ${whereTaskWaits(task)}; wrap foreign promises in cancellable(), and let CancelledError pass`,
      task.scope.effective?.origin.stack?.replace(/^[^\n]*/, "cancelled"),
    );
  }

  /** The task was told of its cancellation and returned normally. */
  reportSwallowed(task: TaskNode): void {
    warn(
      "MW_WARN_SWALLOWED_CANCELLATION",
      `Task "${task.name}" was cancelled and returned as if nothing had happened; rethrow what isCancelled() recognises`,
    );
  }
}

/** The runs that have not ended. */
export const activeRunners: Set<Runner> = new Set();

// One set of deadlines for each clock: several runs on the same clock share its one alarm.
const deadlinesByClock = new WeakMap<Clock, Deadlines>();

function deadlinesOf(clock: Clock): Deadlines {
  let deadlines = deadlinesByClock.get(clock);
  if (deadlines === undefined) {
    deadlines = new Deadlines(clock);
    deadlinesByClock.set(clock, deadlines);
  }
  return deadlines;
}

/** The clock of every run that is not given one, and of code outside of runs. */
export const systemClock: Clock = new SystemClock();

/** For code outside of any run. */
export const outsideRunner: Runner = new Runner(null, {
  clock: systemClock,
  debug: false,
  graceMs: DEFAULT_GRACE_MS,
  name: "outside of run()",
});
