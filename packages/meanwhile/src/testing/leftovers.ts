// What a run has left behind although it has ended: tasks, waits, deadlines, listeners, handles.

import { getEventListeners } from "node:events";

import { TestError } from "../errors.ts";
import { currentScopeNode, renderTaskTree, type Runner, tasksIn, type TaskNode, waitsOf } from "../lowlevel.ts";
import { nextTurn } from "./process-watch.ts";
import { activeResources, resourcesBeyond } from "./resources.ts";

/** How long a handle that is being closed may take to go, in real time. */
const CLOSING_MS = 200;

const { performance } = globalThis;

/** Notes what there is in the current run, before a part of it. */
export class Before {
  readonly #runner: Runner;
  readonly #task: TaskNode | null;
  readonly #tasks: ReadonlySet<TaskNode>;
  readonly #waits: ReadonlySet<unknown>;
  // How many there are cannot be told.
  readonly #hasDeadlines: boolean;
  readonly #listeners: ReadonlyMap<AbortSignal, number>;

  /** @param signals - those that live on after the part */
  constructor(signals: readonly AbortSignal[]) {
    const { runner, task } = currentScopeNode();
    this.#runner = runner;
    this.#task = task;
    this.#tasks = new Set(tasksIn(runner.root));
    this.#waits = new Set(task === null ? [] : waitsOf(task));
    this.#hasDeadlines = runner.deadlines.earliest !== undefined;
    this.#listeners = new Map(signals.map((signal) => [signal, listenersOf(signal)]));
  }

  /** Throws if the part has left something. Called where it was made. */
  refuseLeftovers(): void {
    const tasks = tasksIn(this.#runner.root).filter((task) => !this.#tasks.has(task));
    if (tasks.length > 0) {
      throw leftBehind(`${tasks.length} of its tasks running`, `\n${renderTaskTree(this.#runner.root)}`);
    }
    const waits = this.#task === null ? [] : waitsOf(this.#task).filter((wait) => !this.#waits.has(wait));
    const [wait] = waits;
    if (wait !== undefined) throw leftBehind(`a wait that nobody awaits: ${wait.target.describe(wait)}`);
    const { earliest } = this.#runner.deadlines;
    if (!this.#hasDeadlines && earliest !== undefined) throw leftBehind(`a deadline at ${earliest} ms of its clock`);
    for (const [signal, before] of this.#listeners) {
      if (listenersOf(signal) > before) throw leftBehind("a listener on an AbortSignal that outlives it");
    }
  }
}

function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

/** Throws if there is more in the process than `before`; what is being closed gets time to go. */
export async function refuseLeftoverHandles(before: readonly string[] | null): Promise<void> {
  if (before === null) return;
  const started = performance.now();
  for (;;) {
    const left = resourcesBeyond(activeResources() ?? [], before);
    if (left.length === 0) return;
    if (performance.now() - started > CLOSING_MS) throw leftBehind(`what keeps the process alive: ${left.join(", ")}`);
    await nextTurn();
  }
}

function leftBehind(what: string, detail = ""): TestError {
  return new TestError(
    "MW_ERR_LEFT_BEHIND",
    `Cannot end here: the scenario has left ${what}; end or undo it on every way out${detail}`,
  );
}
