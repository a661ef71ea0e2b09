// Answers what only the program itself can tell: full texts, stacks, holders, deadlines. A little at a time.

import { type Answer, MOST_HOLDERS, type Question, type ToldResource, type ToWorker } from "./link.ts";
import type { Recorder } from "./recorder.ts";
import { firstIds, Teller } from "./telling.ts";

const { performance } = globalThis;

/** How long an answer may keep the program from its work. To send it takes about as long again. */
const BUDGET_MS = 0.4;

/** What answers are given with. */
export interface AnswersOptions {
  /** Tells the worker what answers refer to, before they do. */
  readonly send: (message: ToWorker) => void;
  /** What whoever asks may do beyond looking. */
  readonly allow: ReadonlyArray<"cancel">;
}

/** An answer that tells nothing. */
export const NOTHING: Answer = { words: new Float64Array(0), texts: [], resources: [], looked: 0 };

/** Answers questions about the tasks of a recorder. */
export class Answers {
  readonly #recorder: Recorder;
  readonly #allow: ReadonlyArray<"cancel">;
  readonly #teller: Teller;

  constructor(recorder: Recorder, { send, allow }: AnswersOptions) {
    this.#recorder = recorder;
    this.#allow = allow;
    this.#teller = new Teller(recorder, send);
  }

  /** Answers as much as there is time for. */
  answer(question: Question): Answer {
    if (question.about === "cancel") return { ...NOTHING, looked: this.#cancel(question.id) ? 1 : 0 };
    if (question.about === "resources") {
      const resources: ToldResource[] = [];
      const looked = withinBudget(question.rows, (row) => {
        const told = this.#tellResource(row);
        if (told !== null) resources.push(told);
      });
      return { ...NOTHING, resources, looked };
    }
    const looked = withinBudget(question.ids, (id) => {
      const task = this.#recorder.taskWith(id);
      if (task === undefined) return;
      if (question.about === "frames") this.#teller.addFrames(task);
      else this.#teller.add(task);
    });
    return { ...NOTHING, ...this.#teller.take(), looked };
  }

  // Whether it is allowed is looked at here, too: this is the program.
  #cancel(id: number): boolean {
    const task = this.#allow.includes("cancel") ? this.#recorder.taskWith(id) : undefined;
    task?.cancel("somebody who looks at the program has cancelled it");
    return task !== undefined;
  }

  #tellResource(row: number): ToldResource | null {
    const target = this.#recorder.targets.targetAt(row);
    if (target === undefined) return null;
    try {
      const holders = firstIds(target.holders?.() ?? [], MOST_HOLDERS);
      return { row, description: target.describe(), holders };
    } catch {
      return null; // it is the program's
    }
  }
}

/** Does something with each, as long as there is time. Returns with how many; at least with one. */
function withinBudget(all: Float64Array, work: (one: number) => void): number {
  const until = performance.now() + BUDGET_MS;
  let looked = 0;
  for (const one of all) {
    // The clock is slower than most of the work.
    if (looked % 8 === 7 && performance.now() > until) break;
    looked += 1;
    work(one);
  }
  return looked;
}
