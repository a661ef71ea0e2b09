// Owns tasks on behalf of a group or a combinator: one scope around them, and a wait for the last one.

import { CancelledError } from "../errors.ts";
import { callBody, runInScope } from "./context.ts";
import { currentScopeNode } from "./current.ts";
import { linkSignal } from "./foreign.ts";
import { frameHooks } from "./frame-hooks.ts";
import { Scope } from "./scope.ts";
import { cancelledIn, suspendUninterrupted, type WaitTarget, type Waiter } from "./suspend.ts";
import { tasksDirectlyIn } from "./task-tree.ts";
import { type Job, type Task, TaskNode, type TaskOwner } from "./task.ts";

/** Common option of every call that makes a scope. */
export interface SignalOption {
  /** Cancels the call, which then rejects with `CancelledError`; its `reason` is that of the signal. */
  readonly signal?: AbortSignal | undefined;
}

/** Tasks with a common owner. */
export class Children implements TaskOwner, WaitTarget {
  /** The scope around all tasks. */
  readonly scope: Scope;
  /** How many tasks have been started and not ended. */
  alive = 0;
  #onEnded: (task: TaskNode) => void;
  // Waiting for `alive` to become 0.
  #joiner: Waiter<void> | null = null;
  readonly #what: string;
  readonly #unlink: () => void;

  /**
   * @param what - the call that owns the tasks, for dumps
   * @param onEnded - told of each ended task, while it still counts as alive
   */
  constructor(what: string, onEnded: (task: TaskNode) => void, signal?: AbortSignal) {
    const parent = currentScopeNode();
    this.scope = new Scope(parent, parent.runner, parent.task, false);
    this.#what = what;
    this.#onEnded = onEnded;
    this.#unlink = linkSignal(this.scope, signal);
  }

  /** Makes a task below this scope. The caller starts it. */
  create<T>(job: Job<T>, name: string | undefined, index: number): TaskNode<T> {
    this.alive += 1;
    return new TaskNode<T>(this.scope, this, job, name, index);
  }

  /** Called by a task of ours when it has ended. */
  childEnded(task: TaskNode): void {
    this.#onEnded(task);
    this.alive -= 1;
    if (this.alive === 0) this.#joiner?.wake();
  }

  /** Counts something that is not a task of ours yet. */
  hold(): void {
    this.alive += 1;
  }

  /** Undoes {@link hold}. */
  release(): void {
    this.alive -= 1;
    if (this.alive === 0) this.#joiner?.wake();
  }

  /** Cancels all tasks, those that come later included. */
  cancel(reason: unknown): void {
    this.scope.cancel(reason);
  }

  /**
   * Waits until no task is left. Where others than the caller may add tasks, it has to look again: one may be added
   * before the caller resumes.
   *
   * Cancellation: reaches the tasks. It does not interrupt this wait.
   */
  async join(): Promise<void> {
    if (this.alive === 0) return;
    await suspendUninterrupted<void>((waiter) => {
      this.#joiner = waiter;
    }, this);
    this.#joiner = null;
  }

  /** The error of a call that was cancelled as a whole: from outside, or by its signal. Null if it was not. */
  cancelledError(): CancelledError | null {
    const { scope } = this;
    if (scope.cancelledFromOutside) return cancelledIn(scope.parent as Scope);
    return scope.own?.by === "signal" ? new CancelledError(scope.own) : null;
  }

  /** Leaves the scope; no task may be left. */
  close(): void {
    this.#unlink();
    this.scope.close();
  }

  /**
   * Runs a callback inside the scope, in the current task; what it returns is awaited there too.
   *
   * @param given - what the user gave, which the callback calls
   *
   * Cancellation: reaches the callback. Nothing is checked here.
   */
  runBody<T>(body: () => T | PromiseLike<T>, given: unknown): Promise<T> {
    return runInScope(this.scope, frameHooks.active?.callerFor(given) ?? callBody<T>, body);
  }

  /** Whether the call goes on when one of the tasks has ended: it cancels the others then. */
  get needsOne(): boolean {
    return (this.#what === "race" || this.#what === "any") && this.scope.effective === null;
  }

  /** What {@link join} waits for, for dumps. */
  describe(): string {
    return `${this.alive} of its tasks (${this.#what})`;
  }

  /** The tasks {@link join} waits for. */
  holders(): Iterable<Task<unknown>> {
    return tasksDirectlyIn(this.scope);
  }
}
