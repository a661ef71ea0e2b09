// run(main): starts the runtime and owns its lifetime.
//
//   starting ──▶ main ──▶ background (cancelled, joined) ──▶ exit callbacks ──▶ settled
//                  └── deadlock: everything is cancelled, main included; then the same way

import { isMainThread } from "node:worker_threads";

import type { Clock } from "../clock/clock.ts";
import { keepAlive } from "../clock/keep-alive.ts";
import { type DeadlockError, UsageError } from "../errors.ts";
import { checkOptions } from "../util/arguments.ts";
import { show } from "../util/show.ts";
import { enterCheckpoint } from "./checkpoint.ts";
import type { SignalOption } from "./children.ts";
import { disown, isCoroutine } from "./coroutine.ts";
import { currentScopeNode } from "./current.ts";
import { deadlockError, joinDeadlockWatch, wakeIdler } from "./deadlock.ts";
import { isWatchInherited, watchEventLoop } from "./debug-watch.ts";
import { linkSignal } from "./foreign.ts";
import { reportUnstarted } from "./never-awaited.ts";
import { reportSuppressed } from "./reports.ts";
import { activeRunners, DEFAULT_GRACE_MS, outsideRunner, Runner, systemClock } from "./runner.ts";
import { type CancelScope, Scope } from "./scope.ts";
import { type HandledSignal, joinSignalHandling } from "./signals.ts";
import { cancelledIn, suspension, type Waiter, type WaitTarget } from "./suspend.ts";
import { checkJob, type TaskOptions } from "./task-group.ts";
import { tasksDirectlyIn, tasksIn } from "./task-tree.ts";
import { type Job, type Task, TaskNode, type TaskOwner } from "./task.ts";

// Taken at load time, so that test tools that replace the globals do not reach into the runtime.
const nextTick = process.nextTick.bind(process);

/** Options of {@link run}. */
export interface RunOptions extends SignalOption {
  /** Name of the main task, for errors and dumps. Default: the name of the function, or `main`. */
  readonly name?: string | undefined;
  /** The time everything in the run reads. Default: inside a run that run's clock, else the system's monotonic clock. */
  readonly clock?: Clock | undefined;
  /** Whether SIGINT and SIGTERM cancel main. Default: true for the outermost run on the main thread, else false. */
  readonly handleSignals?: boolean | undefined;
  /** Milliseconds after which a task that was cancelled and is still suspended is named in a warning. Default: 5 000. */
  readonly graceMs?: number | undefined;
  /**
   * Also reports tasks that swallow their cancellation, scopes that are left while one inside them is open, and on stderr
   * what blocks the event loop. Default: whether the variable `MEANWHILE_DEBUG` is `1`.
   */
  readonly debug?: boolean | undefined;
}

// One run, from its start to its end. Owns main, the background tasks and the task of the exit callbacks.
class Run<T> implements TaskOwner, WaitTarget {
  readonly runner: Runner;
  readonly main: TaskNode<T>;
  // Where run() was called.
  readonly #outer: Scope;
  /** The scope of the background tasks; cancelled when main has ended. */
  readonly background: Scope;
  // The way from outside to main, open until main has ended.
  readonly #outside: Disposable;
  // What is thrown or reported in the end: main's error, then the others in the order they came.
  readonly #errors: unknown[] = [];
  #deadlock: DeadlockError | null = null;
  // Set by the second deadlock: nothing is waited for any more.
  #gaveUp = false;
  #settled = false;
  #alive = 0;
  #waiter: Waiter<void> | null = null;

  constructor(outer: Scope, main: Job<T>, options: RunOptions) {
    this.#outer = outer;
    const nested = outer.runner !== outsideRunner;
    this.runner = new Runner(outer, {
      clock: options.clock ?? (nested ? outer.runner.clock : systemClock),
      debug: options.debug ?? process.env["MEANWHILE_DEBUG"] === "1",
      graceMs: options.graceMs ?? DEFAULT_GRACE_MS,
      name: options.name ?? "run",
    });
    const { root } = this.runner;
    // First: a bad signal is refused while nothing hangs below the root.
    this.#outside = listenTo(options.signal, root);
    this.main = new TaskNode<T>(root, this, main, options.name ?? (main.name || "main"), 0);
    this.background = new Scope(root, this.runner, null, false);
    this.runner.createTask = (job, name) => this.#createTask(job, name);
    this.runner.declareDeadlock = () => this.deadlocked();
  }

  #createTask<R>(job: Job<R>, name: string | undefined): TaskNode<R> {
    this.#alive += 1;
    const task = new TaskNode<R>(this.background, this, job, name, 0);
    task.startSoon();
    return task;
  }

  childEnded(task: TaskNode): void {
    this.#alive -= 1;
    const isMain = task === (this.main as TaskNode);
    if (isMain) this.#outside[Symbol.dispose]();
    if (task.state.kind === "failed") this.#childFailed(task, task.state.error, isMain);
    this.#waiter?.wake();
  }

  #childFailed(task: TaskNode, error: unknown, isMain: boolean): void {
    if (isMain) this.#failed(error, "unshift");
    else if (!task.wasAwaited) {
      this.#failed(error, "push");
      const why = `background task "${task.name}" failed`;
      this.main.cancel(why);
      this.background.cancel(why);
    }
  }

  #failed(error: unknown, add: "push" | "unshift"): void {
    // What a run that gave up has left behind may go on and fail.
    if (this.#settled) reportSuppressed(error, `The run of "${this.main.name}" had ended`);
    else this.#errors[add](error);
  }

  /** Main with its `finally` blocks, then the background tasks, then the exit callbacks. */
  async goThrough(): Promise<void> {
    activeRunners.add(this.runner);
    this.#alive += 1;
    this.main.start();
    while (!this.main.done && !this.#gaveUp) await this.#change();
    this.background.cancel("the run is ending");
    while (this.#alive > 0 && !this.#gaveUp) await this.#change();
    // In the same turn as the last look at #alive: nobody slips in.
    this.runner.createTask = null;
    // Shielded: a run that was cancelled from outside closes its pools all the same.
    const shield = new Scope(this.runner.root, this.runner, null, true);
    if (this.runner.exitCallbacks.length > 0) this.#startExit(shield);
    while (this.#alive > 0 && !this.#gaveUp) await this.#change();
    for (const scope of [shield, this.background, this.runner.root]) scope.close();
    this.runner.close();
    activeRunners.delete(this.runner);
  }

  #startExit(scope: Scope): void {
    this.#alive += 1;
    new TaskNode(scope, this, () => this.#callExitCallbacks(), "exit callbacks", 0).start();
  }

  async #callExitCallbacks(): Promise<void> {
    const callbacks = this.runner.exitCallbacks;
    for (let callback = callbacks.pop(); callback !== undefined; callback = callbacks.pop()) {
      try {
        await callback();
      } catch (error) {
        this.#failed(error, "push");
      }
    }
  }

  // Where run() was called, whatever code without a context belongs to meanwhile.
  #change(): Promise<void> {
    const { promise, waiter } = suspension<void>(this.#outer, this);
    waiter.abort = () => "wait";
    this.#waiter = waiter;
    return promise;
  }

  describe(): string {
    return "the end of a run inside it";
  }

  // Main first. What is below them they wait for themselves.
  *holders(): Iterable<Task<unknown>> {
    yield* tasksDirectlyIn(this.runner.root);
    yield* tasksDirectlyIn(this.background);
  }

  /** The first time everything is cancelled, so that `finally` blocks run; the second time nothing is waited for. */
  deadlocked(): boolean {
    if (wakeIdler(this.runner)) return false;
    if (this.#deadlock === null) {
      this.#deadlock = deadlockError(this.runner.root);
      this.runner.root.cancel(this.#deadlock);
    } else {
      this.#gaveUp = true;
      this.#waiter?.wake();
    }
    return true;
  }

  /** Reports every error but the one that {@link settle} throws. */
  reportOthers(): void {
    this.#settled = true;
    if (this.#deadlock !== null) this.#errors.unshift(this.#deadlock);
    const [, ...others] = new Set(this.#errors);
    for (const other of others) reportSuppressed(other, `The run of "${this.main.name}" failed`);
  }

  /** The value of the run, or its error. */
  settle(outer: Scope): T {
    // Found in an event of the process; now it gets the stack of the code that awaits the run.
    if (this.#deadlock !== null) Error.captureStackTrace(this.#deadlock);
    if (this.#errors.length > 0) throw this.#errors[0];
    const { state } = this.main;
    if (state.kind === "succeeded") return state.value as T;
    throw cancelledIn(outer.effective === null ? this.main.scope : outer);
  }
}

// A signal is a way out, so waiting for one is no deadlock: the process is held until it comes.
function listenTo(signal: RunOptions["signal"], root: Scope): Disposable {
  using stack = new DisposableStack();
  if (signal !== undefined) {
    const held = stack.use(keepAlive());
    stack.defer(linkSignal(root, signal, () => held[Symbol.dispose]()));
  }
  return stack.move();
}

/**
 * Starts the runtime, runs `main` as its first task and owns everything that `main` starts. Resolves with main's value
 * after everything has ended, in this order: main's `finally` blocks, background tasks (cancelled and joined), exit
 * callbacks, newest first.
 *
 * SIGINT and SIGTERM cancel main; the exit code is then 130 or 143, and a second signal ends the process at once.
 * When nothing in the process can wake any task, the run ends with `DeadlockError`. A run inside a run makes an
 * isolated tree below the current scope.
 *
 * Cancellation: reaches main, from the scope around a nested run, from `signal`, or from a process signal; the run then
 * rejects with `CancelledError`, or resolves with main's value if main returned one all the same.
 *
 * @throws whatever main throws, or the error of a background task that failed while nobody awaited it
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if main was cancelled
 * @throws {@link DeadlockError} `MW_ERR_DEADLOCK` with the task tree if nothing can go on
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad job or option
 * @see {@link https://docs.python.org/3/library/asyncio-runner.html#asyncio.run}
 *
 * @example
 * ```ts
 * import { gather, run, sleep } from "meanwhile";
 *
 * async function fetchData(url: string): Promise<string> {
 *   await sleep(2);
 *   return `Data from ${url}`;
 * }
 *
 * const results = await run(() => gather([() => fetchData("api/1"), () => fetchData("api/2")]));
 * console.log(results); //> [ 'Data from api/1', 'Data from api/2' ]
 * ```
 */
export async function run<T>(main: Job<T>, options: RunOptions = {}): Promise<T> {
  checkJob(main, "run");
  // Before anything can be refused: a coroutine that was handed to us is not forgotten.
  if (isCoroutine(main)) main.handOver();
  checkRunOptions(options);
  const turn = enterCheckpoint();
  if (turn !== null) await turn;
  const outer = currentScopeNode();
  const outermost = outer.runner === outsideRunner;
  const current = new Run<T>(outer, main, options);
  using watches = new DisposableStack();
  if (outermost) watches.use(joinDeadlockWatch(current));
  if (current.runner.debug || isWatchInherited()) watchEventLoop();
  if (options.handleSignals ?? (outermost && isMainThread)) {
    watches.use(joinSignalHandling((signal: HandledSignal) => current.main.cancel(signal)));
  }
  await current.goThrough();
  reportUnstarted(current.runner);
  current.reportOthers();
  // Warnings come on the next tick; an error that nobody catches ends the process before it.
  await new Promise<void>((resolve) => nextTick(resolve));
  return current.settle(outer);
}

function checkRunOptions(options: RunOptions): void {
  checkOptions("run", options, '{ name: "main" }');
  const { graceMs, clock } = options;
  if (graceMs !== undefined && !(typeof graceMs === "number" && graceMs >= 0)) {
    throw new UsageError(
      "MW_ERR_INVALID_ARGUMENT",
      `Cannot run with 'graceMs' ${show(graceMs)}; pass milliseconds >= 0, or Infinity for no warning`,
    );
  }
  if (clock !== undefined && typeof clock?.now !== "function") {
    throw new UsageError("MW_ERR_INVALID_ARGUMENT", `Cannot run on the clock ${show(clock)}; pass a Clock`);
  }
}

/**
 * Starts a job as a background task, owned by the run: it is cancelled and joined when main has ended. If it fails
 * while nobody awaits it, the run is cancelled and rejects with that error. The job starts in the next microtask.
 *
 * To wait for several jobs together use `gather` or `taskGroup`: they own their tasks.
 *
 * @throws {@link UsageError} `MW_ERR_OUTSIDE_RUN` outside of a run, `MW_ERR_INVALID_ARGUMENT` for what is not a job
 * @see {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task}
 *
 * @example
 * ```ts
 * import { createTask, run, sleep } from "meanwhile";
 *
 * await run(async () => {
 *   await using ticker = createTask(async () => {
 *     for (;;) await sleep(1);
 *   });
 *   await sleep(3);
 *   console.log(ticker.done); //> false
 * }); // leaving the block cancelled the task and waited for it
 * ```
 */
export function createTask<T>(job: Job<T>, options: TaskOptions = {}): Task<T> {
  checkJob(job, "createTask");
  try {
    checkOptions("createTask", options, '{ name: "fetch" }');
  } catch (error) {
    disown(job);
    throw error;
  }
  const { createTask: create } = currentScopeNode().runner;
  if (create === null) {
    disown(job);
    throw outsideRun("start a background task", "createTask");
  }
  return create(job, options.name);
}

/**
 * The task whose code is running.
 *
 * @throws {@link UsageError} `MW_ERR_OUTSIDE_RUN` if the code runs in no task
 * @see {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.current_task}
 */
export function currentTask(): Task<unknown> {
  const { task } = currentScopeNode();
  if (task === null) throw outsideRun("tell the current task", "currentTask");
  return task;
}

/**
 * The innermost scope of the running code: the one that `timeout`, `cancelScope` and the like made, or the task's own.
 *
 * @throws {@link UsageError} `MW_ERR_OUTSIDE_RUN` if the code runs in no scope
 */
export function currentScope(): CancelScope {
  const scope = currentScopeNode();
  if (scope === outsideRunner.root) throw outsideRun("tell the current scope", "currentScope");
  return scope;
}

/**
 * All tasks of the current run that have not ended, parents before their children.
 *
 * @throws {@link UsageError} `MW_ERR_OUTSIDE_RUN` outside of a run
 * @see {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.all_tasks}
 */
export function allTasks(): Task<unknown>[] {
  const { runner } = currentScopeNode();
  if (runner === outsideRunner) throw outsideRun("list the tasks", "allTasks");
  return tasksIn(runner.root);
}

/**
 * Calls `callback` when the current run ends, after all tasks have ended; newest first. For what lives as long as the
 * run, like a pool. Disposing the result takes the callback back.
 *
 * @throws {@link UsageError} `MW_ERR_OUTSIDE_RUN` outside of a run
 */
export function atRunExit(callback: () => unknown): Disposable {
  const { runner } = currentScopeNode();
  if (runner === outsideRunner) throw outsideRun("wait for the end of the run", "atRunExit");
  if (typeof callback !== "function") {
    disown(callback);
    throw new UsageError("MW_ERR_INVALID_ARGUMENT", `Cannot call ${show(callback)} at the end; pass a function`);
  }
  const { exitCallbacks } = runner;
  // A function of its own: the same callback may be registered twice.
  const own = (): unknown => callback();
  exitCallbacks.push(own);
  return {
    [Symbol.dispose](): void {
      const index = exitCallbacks.indexOf(own);
      if (index !== -1) exitCallbacks.splice(index, 1);
    },
  };
}

function outsideRun(what: string, call: string): UsageError {
  return new UsageError(
    "MW_ERR_OUTSIDE_RUN",
    `Cannot ${what}: no run is going on here; call ${call}() inside run(main), for example await run(async () => { ... })`,
  );
}
