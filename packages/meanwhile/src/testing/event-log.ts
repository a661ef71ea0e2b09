// What happens in a test, as a list that two runs of the same schedule have in common.

import { addInstrument, type Runner, type Scope, type TaskNode, type Waiter } from "../lowlevel.ts";
import { show } from "../util/show.ts";

/** Something that happened in a test; see {@link TestEvent}. */
export type TestEventKind =
  | "taskCreated"
  | "taskStarted"
  | "taskEnded"
  | "waitBegun"
  | "waitEnded"
  | "resumed"
  | "scopeCancelled";

const VERBS: Record<TestEventKind, string> = {
  taskCreated: "is created",
  taskStarted: "starts",
  taskEnded: "ends:",
  waitBegun: "waits for",
  waitEnded: "has waited for",
  resumed: "goes on",
  scopeCancelled: "has a scope cancelled:",
};

/**
 * Something that happened in a test. Two runs of one schedule have equal events; `String(event)` is a line of text.
 *
 * - `taskStarted`: the first sign of the task's code
 * - `waitEnded`: somebody ended the wait; the code that waited has not run yet
 * - `resumed`: under a seed, the code of the task was picked to go on
 */
export class TestEvent {
  /** What kind of event it is. */
  readonly kind: TestEventKind;
  /** The time of the test's clock, in milliseconds. */
  readonly at: number;
  /** The task it happened to, numbered in the order of creation: 1 is the test itself, 0 is code in no task. */
  readonly task: number;
  /** The name of the task, what it waits for, how it ended, or why the scope was cancelled. */
  readonly what: string;

  /** @internal */
  constructor(kind: TestEventKind, at: number, task: number, what: string) {
    this.kind = kind;
    this.at = at;
    this.task = task;
    this.what = what;
  }

  /** One line. */
  toString(): string {
    const verb = VERBS[this.kind];
    const who = this.task === 0 ? "code outside of tasks" : `task ${this.task}`;
    return `${this.at} ms: ${who} ${verb}${this.what === "" ? "" : ` ${this.what}`}`;
  }
}

interface Known {
  readonly node: TaskNode;
  readonly number: number;
  started: boolean;
}

/** Tells a listener the events of one run and the runs inside it. Listens until it is disposed. */
export class EventLog implements Disposable {
  readonly #runner: Runner;
  readonly #onEvent: (event: TestEvent) => void;
  // By the id of the task, which is unique in the process: in the next run it is another one.
  readonly #tasks = new Map<number, Known>();
  readonly #ours = new WeakMap<Runner, boolean>();
  readonly #listening: Disposable;

  constructor(runner: Runner, main: TaskNode | null, onEvent: (event: TestEvent) => void) {
    this.#runner = runner;
    this.#onEvent = onEvent;
    if (main !== null) {
      this.#created(main);
      this.#started(main);
    }
    this.#listening = addInstrument({
      taskCreated: (task) => this.#created(task),
      taskEnded: (task) => this.#tell("taskEnded", task.scope, () => endOf(task)),
      suspended: (waiter) => this.#waiting("waitBegun", waiter),
      resumed: (waiter) => this.#waiting("waitEnded", waiter),
      scopeCancelled: (scope) => this.#tell("scopeCancelled", scope, () => reasonOf(scope)),
    });
  }

  /** Code in the scope goes on: it was picked. */
  resumed(scope: Scope): void {
    const { task } = scope;
    if (task?.state.kind === "new") this.#started(task);
    else this.#tell("resumed", scope, () => "");
  }

  #created(task: TaskNode): void {
    if (!this.#isOurs(task.runner)) return;
    this.#tasks.set(task.id, { node: task, number: this.#tasks.size + 1, started: false });
    this.#emit("taskCreated", task, task.name);
  }

  #started(task: TaskNode): void {
    const known = this.#tasks.get(task.id);
    if (known === undefined || known.started) return;
    known.started = true;
    this.#emit("taskStarted", task, task.name);
  }

  // A wait that is being ended is still in its scope.
  #waiting(kind: TestEventKind, waiter: Waiter<never>): void {
    if (waiter.scope !== null) this.#tell(kind, waiter.scope, () => waiter.target.describe(waiter));
  }

  #tell(kind: TestEventKind, scope: Scope, what: () => string): void {
    if (!this.#isOurs(scope.runner)) return;
    const { task } = scope;
    if (task !== null && kind !== "scopeCancelled") this.#started(task);
    this.#emit(kind, task, what());
  }

  #emit(kind: TestEventKind, task: TaskNode | null, what: string): void {
    const number = task === null ? 0 : (this.#tasks.get(task.id)?.number ?? 0);
    this.#onEvent(new TestEvent(kind, this.#runner.clock.now(), number, this.#numbered(what)));
  }

  /** The text with our numbers in place of the ids of tasks. */
  #numbered(text: string): string {
    if (!text.includes("task ")) return text;
    return text.replaceAll(/\btask (\d+)\b/g, (found, id: string, at: number) => {
      const known = this.#tasks.get(Number(id));
      if (known === undefined) return found;
      // A name that somebody gave may look like this too; ours is a name only where there is no other.
      const { name } = known.node;
      const isOurs = name === found || text.startsWith(` "${name}"`, at + found.length);
      return isOurs ? `task ${known.number}` : found;
    });
  }

  #isOurs(runner: Runner): boolean {
    let isOurs = this.#ours.get(runner);
    if (isOurs === undefined) {
      const outer = runner.root.parent;
      isOurs = runner === this.#runner || (outer !== null && this.#isOurs(outer.runner));
      this.#ours.set(runner, isOurs);
    }
    return isOurs;
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }
}

function endOf({ state }: TaskNode): string {
  return state.kind === "failed" ? `failed with ${textOf(state.error)}` : state.kind;
}

function reasonOf({ own }: Scope): string {
  return own === null ? "" : textOf(own.reason);
}

function textOf(value: unknown): string {
  if (!(value instanceof Error)) return typeof value === "string" ? value : show(value);
  return `${value.name}: ${value.message.split("\n", 1)[0]}`;
}
