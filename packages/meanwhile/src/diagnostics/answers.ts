// Answers what only the program itself can tell: full texts, stacks, holders, deadlines, circles. A little at a time.

import { awaitStacksOf, type Scope, type SuspendedCall, type TaskNode, type Waiter, waitsOf } from "../lowlevel.ts";
import type { Answer, Question, ToldResource, ToldTask, ToldWait } from "./link.ts";
import type { Recorder } from "./recorder.ts";
import { findCycles } from "./wait-cycles.ts";

const { performance } = globalThis;

/** How long an answer may keep the program from its work. */
const BUDGET_MS = 0.7;

/** The most places that are numbered. */
const MOST_PLACES = 65_536;

const NOTHING_TOLD = { tasks: [], resources: [], cycles: [] };

/** What answers are given with. */
export interface AnswersOptions {
  /** Told of each place once, before an answer refers to it. */
  readonly onPlace: (id: number, place: string) => void;
  /** What whoever asks may do beyond looking. */
  readonly allow: ReadonlyArray<"cancel">;
}

/** Answers questions about the tasks of a recorder. */
export class Answers {
  readonly #recorder: Recorder;
  readonly #options: AnswersOptions;
  readonly #places = new Map<string, number>();

  constructor(recorder: Recorder, options: AnswersOptions) {
    this.#recorder = recorder;
    this.#options = options;
  }

  /** Answers as much as there is time for. */
  answer(question: Question): Answer {
    if (question.about === "cancel") return { ...NOTHING_TOLD, looked: this.#cancel(question.id) ? 1 : 0 };
    const until = performance.now() + BUDGET_MS;
    if (question.about === "cycles") {
      const tasks = question.ids.flatMap((id) => this.#recorder.taskWith(id) ?? []);
      return { tasks: [], resources: [], cycles: findCycles(tasks, until), looked: question.ids.length };
    }
    if (question.about === "resources") {
      const resources = question.rows.flatMap((row) => this.#tellResource(row) ?? []);
      return { tasks: [], resources, cycles: [], looked: question.rows.length };
    }
    const tasks: ToldTask[] = [];
    let looked = 0;
    for (const id of question.ids) {
      if (looked > 0 && performance.now() > until) break;
      looked += 1;
      const task = this.#recorder.taskWith(id);
      if (task !== undefined) tasks.push(this.#tellTask(task));
    }
    return { tasks, resources: [], cycles: [], looked };
  }

  // Whether it is allowed is looked at here, too: this is the program.
  #cancel(id: number): boolean {
    const task = this.#options.allow.includes("cancel") ? this.#recorder.taskWith(id) : undefined;
    task?.cancel("somebody who looks at the program has cancelled it");
    return task !== undefined;
  }

  #tellTask(task: TaskNode): ToldTask {
    const members = waitsOf(task);
    const left = [...members];
    const waits = awaitStacksOf(task).map(({ waitsFor, calls }): ToldWait => {
      // Frames that wait for something foreign have a stack and no waiter.
      const at = left.findIndex((waiter) => waiter.target.describe(waiter) === waitsFor);
      const [waiter] = at === -1 ? [] : left.splice(at, 1);
      return { ...this.#tellTarget(waiter), for: waitsFor, places: calls.map((call) => this.#placeOf(call)) };
    });
    return { id: task.id, steps: this.#recorder.stepsOf(task.id), hasDeadline: hasDeadline(task, members), waits };
  }

  #tellTarget(waiter: Waiter<never> | undefined): Pick<ToldWait, "row" | "task" | "foreign"> {
    if (waiter === undefined) return { row: 0, task: 0, foreign: true };
    const { target } = waiter;
    const row = this.#recorder.targets.rowOf(target);
    return { row, task: row === 1 ? (target as TaskNode).id : 0, foreign: target.foreign === true };
  }

  #tellResource(row: number): ToldResource | null {
    const target = this.#recorder.targets.targetAt(row);
    if (target === undefined) return null;
    try {
      return { row, description: target.describe(), holders: Array.from(target.holders?.() ?? [], ({ id }) => id) };
    } catch {
      return null; // it is the program's
    }
  }

  #placeOf(call: SuspendedCall): number {
    const text = JSON.stringify([call.function, call.file, call.line, call.column]);
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    if (this.#places.size >= MOST_PLACES) return 0;
    const id = this.#places.size + 1;
    this.#places.set(text, id);
    this.#options.onPlace(id, text);
    return id;
  }
}

/** Whether something ends the waits of the task in time: a scope around them, or the wait by itself. */
function hasDeadline(task: TaskNode, waiters: readonly Waiter<never>[]): boolean {
  const scopes = waiters.length === 0 ? [task.scope] : waiters.map(({ scope }) => scope ?? task.scope);
  return scopes.every(isBounded) || waiters.some(({ bucket }) => bucket !== null);
}

function isBounded(from: Scope): boolean {
  for (let scope: Scope | null = from; scope !== null; scope = scope.shielded ? null : scope.parent) {
    if (scope.deadline !== Infinity) return true;
  }
  return false;
}
