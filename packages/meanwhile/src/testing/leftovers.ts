// What a run has left behind although it has ended: tasks, waits, deadlines, listeners, handles.

import { getEventListeners } from "node:events";

import { TestError } from "../errors.ts";
import {
  currentScopeNode,
  renderTaskTree,
  type Runner,
  type Scope,
  type ScopeMember,
  tasksIn,
  type TaskNode,
  type Waiter,
} from "../lowlevel.ts";
import { nextTurn } from "./process-watch.ts";
import { activeResources, resourcesBeyond } from "./resources.ts";

/** How long a handle that is being closed may take to go, in real time. */
const CLOSING_MS = 200;

const { performance } = globalThis;

/** Notes what there is in the current run, before a part of it. */
export class Before {
  readonly #what: "scenario" | "test";
  readonly #runner: Runner;
  readonly #tasks: ReadonlySet<TaskNode>;
  readonly #waits: ReadonlySet<unknown>;
  // How many there are cannot be told.
  readonly #hasDeadlines: boolean;
  readonly #listeners: ReadonlyMap<AbortSignal, number>;

  /**
   * @param what - the part
   * @param signals - those that live on after it
   */
  constructor(what: "scenario" | "test", signals: readonly AbortSignal[]) {
    const { runner } = currentScopeNode();
    this.#what = what;
    this.#runner = runner;
    this.#tasks = new Set(tasksIn(runner.root));
    this.#waits = new Set(waitsIn(runner.root));
    this.#hasDeadlines = runner.deadlines.earliest !== undefined;
    this.#listeners = new Map(signals.map((signal) => [signal, listenersOf(signal)]));
  }

  /** Throws if the part has left something. Called where it was made. */
  refuseLeftovers(): void {
    const what = this.#what;
    const { root, deadlines } = this.#runner;
    const { length } = tasksIn(root).filter((task) => !this.#tasks.has(task));
    if (length > 0) throw leftBehind(what, `${length} of its tasks running`, `\n${renderTaskTree(root)}`);
    const wait = waitsIn(root).find((waiter) => !this.#waits.has(waiter));
    if (wait !== undefined) throw leftBehind(what, `a wait that nobody awaits: ${wait.target.describe(wait)}`);
    const { earliest } = deadlines;
    if (!this.#hasDeadlines && earliest !== undefined)
      throw leftBehind(what, `a deadline at ${earliest} ms of its clock`);
    for (const [signal, before] of this.#listeners) {
      if (listenersOf(signal) > before) throw leftBehind(what, "a listener on an AbortSignal that outlives it");
    }
  }
}

/** All waits in the scope and below, whoever waits: what a task leaves is handed to the scope around it. */
function waitsIn(root: Scope): Waiter<never>[] {
  const found: Waiter<never>[] = [];
  const scopes = [root];
  for (const scope of scopes) {
    for (const member of scope.members()) {
      if (isWaiter(member)) found.push(member);
      else if (isScope(member)) scopes.push(member);
    }
  }
  return found;
}

function isWaiter(member: ScopeMember): member is Waiter<never> {
  return member.target !== undefined;
}

function isScope(member: ScopeMember): member is Scope {
  return "members" in member;
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
    if (performance.now() - started > CLOSING_MS)
      throw leftBehind("scenario", `what keeps the process alive: ${left.join(", ")}`);
    await nextTurn();
  }
}

/** Fails a test that leaves timers of the host behind. Of two tests at the same time nobody can tell whose they are. */
export class TimerWatch implements Disposable {
  static readonly #active = new Set<TimerWatch>();
  readonly #before = timers();
  #isAlone = TimerWatch.#active.size === 0;

  constructor() {
    for (const other of TimerWatch.#active) other.#isAlone = false;
    TimerWatch.#active.add(this);
  }

  /** Throws if there are more timers than before the test. */
  refuseLeftovers(): void {
    const more = timers() - this.#before;
    if (more <= 0 || !this.#isAlone) return;
    throw leftBehind("test", `${more} of setTimeout() or setInterval() that are still to fire`);
  }

  [Symbol.dispose](): void {
    TimerWatch.#active.delete(this);
  }
}

/** How many timers keep the process alive, as far as the host can tell. */
function timers(): number {
  return (activeResources() ?? []).filter((kind) => kind === "Timeout").length;
}

function leftBehind(who: "scenario" | "test", what: string, detail = ""): TestError {
  return new TestError(
    "MW_ERR_LEFT_BEHIND",
    `Cannot end here: the ${who} has left ${what}; end or undo it on every way out${detail}`,
  );
}
