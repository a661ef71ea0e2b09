// Waits for tasks without owning them.

import { UsageError } from "../errors.ts";
import {
  type CancelScope,
  currentScopeNode,
  disown,
  enterCheckpoint,
  reportSuppressed,
  showJob,
  type Task,
  TaskNode,
  throwIfCancelled,
} from "../lowlevel.ts";
import { moveOnAfter } from "../time/timeouts.ts";
import { badArgument, checkOptions, isTime } from "../util/arguments.ts";
import { awaitSelf } from "./jobs.ts";

/** Options of {@link wait}. */
export interface WaitOptions {
  /**
   * What ends the wait: `"all"` the end of the last task, `"first"` that of the first, `"firstError"` the first failure
   * or else the end of the last. A task that was cancelled has ended and has not failed. Default: `"all"`.
   */
  readonly until?: "all" | "first" | "firstError" | undefined;
  /** Milliseconds after which the wait ends in any case. Default: none. */
  readonly timeoutMs?: number | undefined;
}

/** The tasks given to {@link wait}, in the order they were given. */
export interface WaitResult<T extends Task<unknown>> {
  /** Those that have ended, in whatever way: await one for its value or its error. */
  readonly done: T[];
  /** Those that have not. */
  readonly pending: T[];
}

/**
 * Waits for tasks and tells which have ended and which have not. Cancels nothing: tasks that are left go on, also when
 * the time is over, which is no error here. A task that is given twice counts once.
 *
 * While it waits it counts as awaiting each of the tasks: a background task that fails meanwhile does not end the run, its
 * error is in `done` to be looked at.
 *
 * Cancellation: safe. The tasks go on; one that belongs to the cancelled scope is waited for while it cleans up.
 *
 * @param tasks - tasks, made by `createTask`; nothing else, for only a task can be waited for without being started or owned
 * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
 * @throws {@link UsageError} `MW_ERR_EMPTY` for no tasks, `MW_ERR_AWAIT_SELF` if the current task is one of them,
 * `MW_ERR_INVALID_ARGUMENT` for what is not a task, or a bad option
 * @see {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.wait}
 *
 * @example
 * ```ts
 * import { createTask, run, sleep, wait } from "meanwhile";
 *
 * await run(async () => {
 *   const tasks = [createTask(() => sleep(1)), createTask(() => sleep(60_000))];
 *   const { done, pending } = await wait(tasks, { until: "first", timeoutMs: 1_000 });
 *   console.log(done.length, pending.length); //> 1 1
 * });
 * ```
 */
export async function wait<T extends Task<unknown>>(
  tasks: Iterable<T>,
  options: WaitOptions = {},
): Promise<WaitResult<T>> {
  checkIterable(tasks);
  const given = [...new Set(tasks)];
  const nodes = checkTasks(given);
  const { until, timeoutMs } = checkWaitOptions(options);
  const turn = enterCheckpoint();
  if (turn !== null) await turn;
  if (!isOver(nodes, until)) {
    const watch = new Watch(nodes, until);
    try {
      await moveOnAfter(timeoutMs, (scope) => watch.run(scope));
      // What ended the wait first decides: a call that has its result returns it.
      if (!watch.decided) throwIfCancelled();
    } catch (error) {
      watch.reportFailures();
      throw error;
    }
  }
  return { done: given.filter(({ done }) => done), pending: given.filter(({ done }) => !done) };
}

type Until = NonNullable<WaitOptions["until"]>;

function isOver(tasks: readonly TaskNode[], until: Until): boolean {
  if (until === "first") return tasks.some(({ done }) => done);
  return tasks.every(({ done }) => done) || (until === "firstError" && tasks.some(hasFailed));
}

function hasFailed({ state }: TaskNode): boolean {
  return state.kind === "failed";
}

class Watch {
  readonly #until: Until;
  readonly #tasks: readonly TaskNode[];
  // How many more of the tasks have to end.
  #left: number;

  constructor(tasks: readonly TaskNode[], until: Until) {
    this.#until = until;
    this.#tasks = tasks.filter(({ done }) => !done);
    this.#left = until === "first" ? 1 : this.#tasks.length;
  }

  /** Whether the tasks ended the wait. */
  get decided(): boolean {
    return this.#left === 0;
  }

  /** Awaits the tasks in the scope, which is cancelled when enough of them have ended. */
  async run(scope: CancelScope): Promise<void> {
    const inside = currentScopeNode();
    const watched = this.#tasks.map((task) => {
      // Called at the end of the task, or when nobody waits for it any more.
      const look = (): void => {
        if (inside.effective === null) this.#ended(task, scope);
      };
      return task.then(look, look);
    });
    await Promise.all(watched);
  }

  /** The wait throws, so nobody is told of the failures that ended meanwhile and counted as awaited. */
  reportFailures(): void {
    for (const { state, name } of this.#tasks) {
      if (state.kind === "failed") reportSuppressed(state.error, `A wait for task "${name}" was cancelled`);
    }
  }

  #ended(task: TaskNode, scope: CancelScope): void {
    this.#left = this.#until === "firstError" && hasFailed(task) ? 0 : this.#left - 1;
    if (this.decided) scope.cancel("the wait is over");
  }
}

function checkIterable(tasks: unknown): asserts tasks is Iterable<unknown> {
  if (typeof tasks === "object" && tasks !== null && Symbol.iterator in tasks) return;
  disown(tasks);
  throw new UsageError("MW_ERR_INVALID_ARGUMENT", `Cannot wait for ${showJob(tasks)}; pass an array of tasks`);
}

function checkTasks(given: readonly unknown[]): TaskNode[] {
  if (given.length === 0) {
    throw new UsageError(
      "MW_ERR_EMPTY",
      "Cannot wait for no tasks: the list given to wait is empty; pass at least one",
    );
  }
  const others = given.filter((one) => !isTaskNode(one));
  for (const other of others) disown(other);
  if (others.length > 0) {
    throw new UsageError(
      "MW_ERR_INVALID_ARGUMENT",
      `Cannot wait for ${showJob(others[0])}: only a task can be waited for without being started or owned; make one with createTask() first`,
    );
  }
  const tasks = given.filter(isTaskNode);
  const { task } = currentScopeNode();
  if (task === null || !tasks.includes(task)) return tasks;
  throw awaitSelf("wait for", task);
}

function isTaskNode(value: unknown): value is TaskNode {
  return value instanceof TaskNode;
}

const UNTIL: readonly unknown[] = ["all", "first", "firstError"] satisfies Until[];

function checkWaitOptions(options: WaitOptions): { readonly until: Until; readonly timeoutMs: number } {
  checkOptions("wait", options, '{ until: "first" }');
  const { until = "all", timeoutMs = Infinity } = options;
  if (!UNTIL.includes(until)) throw badArgument("wait", "until", until, 'one of "all", "first" and "firstError"');
  if (!isTime(timeoutMs)) throw badArgument("wait", "timeoutMs", timeoutMs, "milliseconds");
  return { until, timeoutMs };
}
