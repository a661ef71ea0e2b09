// A task: one job being run, its scope, its owner and its result.
//
// The promise of the job is watched with two functions shared by all tasks. They find their task in the context the
// promise was watched in, so a task costs no closures.

import { TaskCancelledError, UsageError } from "../errors.ts";
import { showInstancesAs } from "../util/inspect.ts";
import { invariant } from "../util/invariant.ts";
import { isCancellationOf, unwrapCancellation } from "./cancellation.ts";
import { giveWay } from "./checkpoint.ts";
import { callBody, CapturedContext, enteredScope, runInScope } from "./context.ts";
import { type Coroutine, isCoroutine } from "./coroutine.ts";
import { currentScopeNode } from "./current.ts";
import { asCaller, frameHooks, untilLeft } from "./frame-hooks.ts";
import { instruments } from "./instruments.ts";
import { endsBefore, joinsHaveChanged } from "./join-order.ts";
import { reportLeftOpen } from "./left-open.ts";
import type { Runner } from "./runner.ts";
import { Scope } from "./scope.ts";
import { cancelledIn, refusal, suspension, type Waiter, type WaitTarget } from "./suspend.ts";
import { isFinal, NEW, RUNNING, type TaskState, transition } from "./task-state.ts";
import { refused, turnIsOver } from "./turn.ts";

// Taken at load time, so that test tools that replace the globals do not reach into the runtime.
const { queueMicrotask } = globalThis;

/** Something that was not started yet: a lazy coroutine, or a function. */
export type Job<T> = Coroutine<T> | (() => T | PromiseLike<T>);

/**
 * A job being run. Somebody owns it and waits for it: a group, a combinator or the run. Awaiting it gives its result;
 * awaiting does not own it.
 *
 * Do not return a task from an async function: being a thenable it would be awaited there.
 */
export interface Task<T> extends PromiseLike<T>, AsyncDisposable {
  /** Unique in the process. */
  readonly id: number;
  /** Given by the creator, else the name of the function. */
  readonly name: string;
  /** Whether the task has ended, in whatever way. */
  readonly done: boolean;
  /** Whether the task has ended because it was cancelled. */
  readonly cancelled: boolean;
  /**
   * Cancels the task: its waits end with `CancelledError`, from the inside out. Returns at once; await the task to
   * wait for its end. Calling it again changes nothing.
   */
  cancel(reason?: unknown): void;
}

/** Who waits for a task. */
export interface TaskOwner {
  /** Called once, when the task has ended and those who await it have been told. Must not throw. */
  childEnded(task: TaskNode): void;
}

let newestId = 0;

/** The kernel's side of a task. */
export class TaskNode<T = unknown> implements Task<T>, WaitTarget {
  /** Unique in the process. */
  readonly id: number = ++newestId;
  /** The task's own scope, below that of its owner. */
  readonly scope: Scope;
  /** Where the task is; changed only through #become(). */
  state: TaskState = NEW;
  /** Who waits for the task. */
  owner: TaskOwner;
  /** The position among the owner's children, for owners that keep an order. */
  readonly index: number;
  /** The scope whose cancellation the code of this task was told last; for the report of swallowed ones. */
  sawCancellationOf: object | null = null;
  readonly #job: Job<T>;
  readonly #name: string | undefined;
  // Those who await this task, in order; null while nobody did. Invariant: none of them is settled.
  #joiners: Set<Waiter<T>> | null = null;
  /** Whether somebody was waiting for the task when it ended: then a failure is theirs to handle. */
  wasAwaited = false;

  constructor(parent: Scope, owner: TaskOwner, job: Job<T>, name: string | undefined, index: number) {
    this.scope = new Scope(parent, parent.runner, this as TaskNode, false);
    this.owner = owner;
    this.#job = job;
    this.#name = name;
    this.index = index;
    if (isCoroutine(job)) job.handOver();
    if (instruments.active !== null) instruments.active.taskCreated(this as TaskNode);
  }

  /** What all tasks of the run share. */
  get runner(): Runner {
    return this.scope.runner;
  }

  /** Given by the creator, else the name of the function, else made of the id. */
  get name(): string {
    return this.givenName || `task ${this.id}`;
  }

  /** The name without the one that is made of the id: `""` then. */
  get givenName(): string {
    return this.#name ?? this.#job.name;
  }

  /** Whether the task has ended, in whatever way. */
  get done(): boolean {
    return isFinal(this.state);
  }

  /** Whether the task has ended because it was cancelled. */
  get cancelled(): boolean {
    return this.state.kind === "cancelled";
  }

  /** Cancels the task, once; see {@link Task}. */
  cancel(reason?: unknown): void {
    this.scope.cancel(reason);
  }

  /** Starts the job now, in the caller's context or in a captured one. */
  start(from?: CapturedContext): void {
    this.#become(RUNNING);
    if (from === undefined) runInScope(this.scope, startTask, this as TaskNode);
    else from.runInScope(this.scope, startTask, this as TaskNode);
  }

  /** Starts the job in a microtask: nothing of it runs before the caller has the task. */
  startSoon(): void {
    const context = new CapturedContext();
    const { director } = this.runner;
    if (director !== null) director.resume(this.scope, () => this.start(context));
    else if (starting.push({ task: this as TaskNode, context }) === 1) queueMicrotask(startAll);
  }

  /** @internal Called inside the task's scope. */
  begin(): void {
    try {
      const job = this.#job;
      const callJob = frameHooks.active?.callerFor(job) ?? null;
      if (callJob !== null && typeof job === "function") {
        callJob(job).then(taskSucceeded, taskFailed);
        return;
      }
      // Promise.resolve returns a native promise as it is; a lazy coroutine starts here, inside the scope.
      Promise.resolve(typeof job === "function" ? job() : job).then(taskSucceeded, taskFailed);
    } catch (error) {
      // Not failed at once: whoever awaits the task right after creating it must have had the time to. Also a promise that
      // cannot be subscribed to comes here: no other task may be kept from its start.
      Promise.reject(error).then(taskSucceeded, taskFailed);
    }
  }

  /** @internal The job has returned. */
  succeeded(value: unknown): void {
    this.#end({ kind: "succeeded", value });
    const { runner, scope } = this;
    if (runner.debug && this.sawCancellationOf !== null && scope.effective?.scope === this.sawCancellationOf) {
      runner.reportSwallowed(this as TaskNode);
    }
  }

  /** @internal The job has thrown. */
  failed(thrown: unknown): void {
    const { scope } = this;
    const error = scope.effective === null ? thrown : unwrapCancellation(thrown);
    this.#end({ kind: isCancellationOf(scope, error) ? "cancelled" : "failed", error });
  }

  #end(state: TaskState): void {
    this.#become(state);
    if (this.runner.debug) reportLeftOpen(this.scope);
    this.scope.close();
    const joiners = this.#joiners;
    if (joiners !== null) {
      this.#joiners = null;
      this.wasAwaited = joiners.size > 0;
      for (const waiter of joiners) this.#tell(waiter);
    }
    if (instruments.active !== null) instruments.active.taskEnded(this as TaskNode);
    this.owner.childEnded(this as TaskNode);
    this.scope.task = null;
  }

  #become(state: TaskState): void {
    this.state = transition(this.state, state);
  }

  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#join().then(onFulfilled, onRejected);
  }

  /**
   * Waits for the end. A cancelled waiter leaves at once, unless this task lies inside the scope that was cancelled:
   * then it has been told too, and the waiter leaves when the task's cleanup is done. Of tasks that wait for each other
   * in a circle, one leaves first.
   */
  #join(): Promise<T> {
    const scope = currentScopeNode();
    if (scope.task === (this as TaskNode)) return Promise.reject(awaitSelf(this.name));
    joinsHaveChanged();
    const error = refusal(scope);
    if (error !== null) {
      const mustWait = scope.effective !== null && !this.done && endsBefore(this.scope, scope);
      return mustWait ? this.#joinCancelled(scope) : refused(scope.runner, error);
    }
    if (this.done && turnIsOver(scope.runner)) return giveWay().then(asCaller(() => this.#join()));
    const { promise, waiter } = suspension<T>(scope, this);
    if (this.done) this.#tell(waiter);
    else this.#addJoiner(waiter);
    return promise;
  }

  // Already cancelled on entry: it waits for the cleanup of the task, and then is told so whatever came of it.
  async #joinCancelled(scope: Scope): Promise<never> {
    const { promise, waiter } = suspension<T>(scope, this);
    this.#addJoiner(waiter);
    await promise.then(ignore, ignore);
    throw cancelledIn(scope);
  }

  #addJoiner(waiter: Waiter<T>): void {
    const joiners = (this.#joiners ??= new Set());
    joiners.add(waiter);
    waiter.abort = () => {
      if (endsBefore(this.scope, waiter.scope as Scope)) return "wait";
      joiners.delete(waiter);
      return undefined;
    };
  }

  #tell(waiter: Waiter<T>): void {
    const { state } = this;
    const scope = waiter.scope as Scope;
    if (state.kind === "succeeded") waiter.wake(state.value as T);
    else if (state.kind === "failed") waiter.fail(state.error);
    else if (scope.effective !== null) waiter.failWith(() => cancelledIn(scope));
    else waiter.failWith(() => this.cancelledError());
  }

  /** What somebody who awaits this cancelled task is told. */
  cancelledError(): TaskCancelledError {
    invariant(this.state.kind === "cancelled", `task ${this.id} is ${this.state.kind}`);
    return new TaskCancelledError(`task "${this.name}"`, this.state.error);
  }

  /** What those who await the task wait for, for dumps. */
  describe(): string {
    return `task "${this.name}"`;
  }

  /** The task itself: who awaits it waits for it. */
  holders(): Iterable<Task<unknown>> {
    return [this];
  }

  /**
   * Cancels the task and waits for its end, for at most the run's `graceMs`: a task that is still suspended then is
   * named in a warning, and its owner goes on waiting for it.
   *
   * Cancellation: safe. It is held back until then.
   *
   * @throws the error of the task, if it fails while this waits for it
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel("the block of the task was left");
    if (this.done) return; // a failure was its owner's, who has been told
    const parent = currentScopeNode();
    const shield = new Scope(parent, parent.runner, parent.task, true);
    shield.deadline = parent.runner.clock.now() + parent.runner.graceMs;
    try {
      await runInScope(shield, callBody, () => this);
    } catch (error) {
      // Past the deadline a warning has named the task, and its owner still waits for it.
      if (!this.cancelled && !shield.absorbs(error)) throw error;
    } finally {
      shield.close();
    }
  }
}

showInstancesAs(TaskNode.prototype, (task) => `Task ${task.id} "${task.name}" (${task.state.kind})`);

// Those that start in the next microtask. They share it: one for each made a third of the price of a task in a group (row
// `create` of bench/).
let starting: Array<{ readonly task: TaskNode; readonly context: CapturedContext }> = [];

function startAll(): void {
  const all = starting;
  starting = [];
  for (const { task, context } of all) task.start(context);
}

function ignore(): void {}

function startTask(task: TaskNode): void {
  task.begin();
}

function taskSucceeded(value: unknown): void {
  const task = enteredTask();
  afterItsCode(task, () => task.succeeded(value));
}

function taskFailed(error: unknown): void {
  const task = enteredTask();
  afterItsCode(task, () => task.failed(error));
}

function afterItsCode({ scope }: TaskNode, end: () => void): void {
  const left = untilLeft(scope);
  if (left === null) end();
  else left.then(end, end);
}

function enteredTask(): TaskNode {
  return (enteredScope() as Scope).task as TaskNode;
}

function awaitSelf(name: string): UsageError {
  return new UsageError(
    "MW_ERR_AWAIT_SELF",
    `Cannot await task "${name}": it is the task that awaits, so it would wait for ever; await it in another task`,
  );
}
