// A block that owns tasks: it ends when all of them have, and the first failure cancels the rest.
//
//   open ──body and last task ended──▶ closed
//
// Tasks may be added while the group is open, also when only its tasks are left; in a cancelled group they start
// cancelled.

import { TaskGroupError, UsageError } from "../errors.ts";
import { checkOptions } from "../util/arguments.ts";
import { generatorError, isGeneratorFunction } from "../util/generators.ts";
import { show } from "../util/show.ts";
import { isCancellationOf, unwrapCancellation } from "./cancellation.ts";
import { enterCheckpoint } from "./checkpoint.ts";
import { Children, type SignalOption } from "./children.ts";
import { disown, isCoroutine } from "./coroutine.ts";
import { currentScopeNode } from "./current.ts";
import { checkBody, showJob } from "./enter-scope.ts";
import { untilLeft } from "./frame-hooks.ts";
import { joinsHaveChanged } from "./join-order.ts";
import { reportLeftOpen } from "./left-open.ts";
import { type CancelScope, Scope } from "./scope.ts";
import { cancelledIn, suspendUninterrupted, type Waiter } from "./suspend.ts";
import { type Job, type Task, TaskNode, type TaskOwner } from "./task.ts";

/** Options of a new task. */
export interface TaskOptions {
  /** Shown in errors and dumps. Default: the name of the function. */
  readonly name?: string | undefined;
}

/** Starts tasks that its block waits for. Given to the body of `taskGroup`. */
export interface TaskGroup {
  /** The scope around the body and all tasks of the group. */
  readonly scope: CancelScope;
  /**
   * Starts a job as a task of the group, in the next microtask.
   *
   * @throws {@link UsageError} `MW_ERR_GROUP_CLOSED` once the group has ended
   */
  createTask<T>(job: Job<T>, options?: TaskOptions): Task<T>;
  /**
   * Starts a job and waits until it calls its argument `started(value)`; returns the value. From then on the job is a
   * task of the group; until then it belongs to the caller, who gets its errors unwrapped. Calling it again changes
   * nothing.
   *
   * Cancellation: reaches the job; the call ends when the job has ended, which then is no task of the group.
   *
   * @throws {@link UsageError} `MW_ERR_NOT_STARTED` if the job returns without having called `started`
   * @see {@link https://trio.readthedocs.io/en/stable/reference-core.html#trio.Nursery.start}
   */
  start<V = void>(job: (started: (value: V) => void) => unknown, options?: TaskOptions): Promise<V>;
  /** Cancels the body and all tasks. The group then ends without an error of its own. */
  cancel(reason?: unknown): void;
}

class TaskGroupNode implements TaskGroup {
  readonly children: Children;
  // Every error of the body and the tasks, in the order they happened; each once.
  readonly errors: unknown[] = [];
  // Those of the errors that are objects: one that reaches the body and its task is one error, two equal texts are two.
  readonly #seen = new Set<unknown>();
  state: "open" | "closed" = "open";
  /** Whether a task ended by cancellation: then an outer cancellation is thrown on although the body has a value. */
  childrenCancelled = false;
  #created = 0;

  constructor(signal: AbortSignal | undefined) {
    this.children = new Children("taskGroup", (task) => this.#childEnded(task), signal);
  }

  get scope(): Scope {
    return this.children.scope;
  }

  createTask<T>(job: Job<T>, options: TaskOptions = {}): Task<T> {
    checkJob(job, "group.createTask");
    this.#checkStart(job, "group.createTask", options);
    const task = this.children.create(job, options.name, this.#created++);
    task.startSoon();
    return task;
  }

  async start<V = void>(job: (started: (value: V) => void) => unknown, options: TaskOptions = {}): Promise<V> {
    checkStartable(job);
    this.#checkStart(job, "group.start", options);
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    this.#checkOpen();
    return await new StartingTask<V>(this.children, job, options.name).started();
  }

  cancel(reason?: unknown): void {
    this.children.cancel(reason);
  }

  failed(error: unknown, why: string): void {
    if (!this.#seen.has(error)) this.errors.push(error);
    if (typeof error === "object") this.#seen.add(error);
    this.children.cancel(why);
  }

  #childEnded(task: TaskNode): void {
    // A child that was cancelled, alone or with the group, is not an error of the group.
    if (task.state.kind === "cancelled") this.childrenCancelled = true;
    if (task.state.kind === "failed") this.failed(task.state.error, `task "${task.name}" failed`);
  }

  #checkStart(job: unknown, call: string, options: TaskOptions): void {
    try {
      checkOptions(call, options);
      this.#checkOpen();
    } catch (error) {
      disown(job);
      throw error;
    }
  }

  #checkOpen(): void {
    if (this.state === "open") return;
    throw new UsageError(
      "MW_ERR_GROUP_CLOSED",
      "Cannot start a task in a group that has ended; start it inside the block of taskGroup",
    );
  }
}

// A task that belongs to its starter until it calls started(), and to the group from then on.
class StartingTask<V> implements TaskOwner {
  readonly #group: Children;
  readonly #scope: Scope;
  readonly #task: TaskNode;
  #waiter: Waiter<V> | null = null;
  #moved = false;

  constructor(group: Children, job: (started: (value: V) => void) => unknown, name: string | undefined) {
    const caller = currentScopeNode();
    this.#group = group;
    this.#scope = new Scope(caller, caller.runner, caller.task, false);
    this.#task = new TaskNode<unknown>(
      this.#scope,
      this,
      () => job((value) => this.#move(value)),
      name ?? (job.name || undefined),
      0,
    );
    // The group must not end while the task is on its way to it.
    group.hold();
  }

  /** Starts the task and waits until it has moved to the group, or has ended. */
  started(): Promise<V> {
    const started = suspendUninterrupted<V>((waiter) => {
      this.#waiter = waiter;
    }, this.#task);
    this.#task.start();
    return started;
  }

  #move(value: V): void {
    // Cancelled while starting: it stays with the starter, who is waiting for its end.
    if (this.#moved || this.#task.done || this.#scope.effective !== null) return;
    this.#moved = true;
    joinsHaveChanged();
    this.#task.scope.moveTo(this.#group.scope);
    this.#task.owner = this.#group;
    this.#scope.close();
    this.#waiter?.wake(value);
  }

  childEnded(): void {
    this.#scope.close();
    this.#group.release();
    this.#waiter?.failWith(() => this.#error());
  }

  // Why the task is not in the group. Made when the starter resumes.
  #error(): unknown {
    const { state, name } = this.#task;
    if (state.kind === "failed") return state.error;
    const starter = this.#scope.parent as Scope;
    // Whether the task ended by the cancellation or in spite of it: the starter was cancelled, and nothing was started.
    if (starter.effective !== null) return cancelledIn(starter);
    return state.kind === "cancelled" ? this.#task.cancelledError() : notStarted(name);
  }
}

function notStarted(name: string): UsageError {
  return new UsageError(
    "MW_ERR_NOT_STARTED",
    `Cannot finish group.start: the job "${name}" returned without calling started(value); call it when the job is ready`,
  );
}

function checkStartable(job: unknown): void {
  if (typeof job === "function") {
    if (isGeneratorFunction(job)) throw generatorError(job, "start", " with group.start");
    return;
  }
  disown(job);
  throw new UsageError(
    "MW_ERR_INVALID_ARGUMENT",
    `Cannot start ${showJob(job)} with group.start; pass a function, which is given 'started' to call`,
  );
}

/** Rejects what is not a job, before anything is started. */
export function checkJob(job: unknown, call: string): void {
  if (typeof job === "function") {
    if (isGeneratorFunction(job)) throw generatorError(job, "start", ` with ${call}`);
    return;
  }
  if (isCoroutine(job)) return;
  disown(job);
  const hint = job instanceof Promise || job instanceof TaskNode ? "its work has begun already" : "that is no job";
  throw new UsageError(
    "MW_ERR_INVALID_ARGUMENT",
    `Cannot start ${showJob(job)} with ${call}: ${hint}; pass a function, like () => fetchData(), or a coroutine that was not started`,
  );
}

/**
 * Runs `body` and all tasks it starts in the group, and ends when the last of them has. The first failure cancels the
 * rest. Returns what the body returns, or `undefined` if `group.cancel()` ended the body early.
 *
 * Cancellation: reaches the body and every task; the call ends when all have cleaned up.
 *
 * @throws {@link TaskGroupError} `MW_ERR_TASK_GROUP` with every error of the body and the tasks, also if it is only one
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if cancelled from outside, or by the given `signal`
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `body` is not a function
 * @see {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.TaskGroup}
 *
 * @example
 * ```ts
 * import { sleep, taskGroup } from "meanwhile";
 *
 * const total = await taskGroup(async (group) => {
 *   const one = group.createTask(() => sleep(2).then(() => 1));
 *   const two = group.createTask(() => sleep(1).then(() => 2));
 *   return (await one) + (await two);
 * });
 * console.log(total); //> 3
 * ```
 */
export async function taskGroup<T>(
  body: (group: TaskGroup) => T | PromiseLike<T>,
  options: SignalOption = {},
): Promise<T | undefined> {
  checkBody(body);
  checkOptions("taskGroup", options);
  const group = new TaskGroupNode(options.signal);
  const { children, scope } = group;
  let value: T | undefined;
  let cancelled = false;
  try {
    value = await children.runBody(() => body(group), body);
  } catch (thrown) {
    const error = scope.effective === null ? thrown : unwrapCancellation(thrown);
    cancelled = isCancellationOf(scope, error);
    if (!cancelled) group.failed(error, "the body of the group failed");
  }
  const left = untilLeft(scope);
  if (left !== null) await left;
  // Again, if a task was added between the end of the last one and this line.
  while (children.alive > 0) await children.join();
  group.state = "closed";
  if (scope.runner.debug) reportLeftOpen(scope);
  children.close();
  return endGroup(group, cancelled, value);
}

function endGroup<T>(group: TaskGroupNode, cancelled: boolean, value: T | undefined): T | undefined {
  const { children, errors } = group;
  if (errors.length > 0) throw new TaskGroupError("MW_ERR_TASK_GROUP", errors, groupMessage(errors));
  const error = cancelled || group.childrenCancelled ? children.cancelledError() : null;
  if (error !== null) throw error;
  return value;
}

function groupMessage(errors: readonly unknown[]): string {
  const first = errors[0];
  const text = first instanceof Error ? `${first.name}: ${first.message}` : show(first);
  return `${errors.length} of the tasks in the group failed; the first error is ${text}`;
}
