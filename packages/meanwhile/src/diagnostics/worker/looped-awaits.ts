// Loops that await one after another what could have been awaited at once. Known of instrumented code only: one call that is
// seen again and again at the same await, with more waits each time, in a loop of which no round needs the one before.

import { readFileSync } from "node:fs";

import type { Place } from "../protocol.ts";
import { type Finding, type Look, MOST_NAMED, PATIENT, seconds, taskText } from "./findings.ts";
import { isInIndependentLoop } from "./loop-source.ts";
import { labelOf, resourceId, type TaskRow } from "./state.ts";

/** How many tasks are looked at. */
const MOST_LOOKED = 200;

/** Fewer rounds are not worth a word. */
const FEWEST_ROUNDS = 3;

/** How many places are remembered. */
const MOST_PLACES = 1_000;

interface Seen {
  readonly since: number;
  /** How many waits it had begun then. */
  readonly waits: number;
}

/** Remembers calls from one look to the next. */
export class LoopedAwaits {
  #seen = new Map<string, Seen>();
  readonly #isIndependent = new Map<string, boolean>();

  async look({ memory, rows, now, limits, program }: Look): Promise<Finding[]> {
    if (limits.loopedAwaitsMs === Infinity) return [];
    const looked = rows.filter((row) => isWork(row, memory)).slice(0, MOST_LOOKED);
    const seen = new Map<string, Seen>();
    const found = new Map<string, Finding>();
    for (const { task, age, waits, place: number } of await program.askAboutFrames(looked.map(({ id }) => id))) {
      const key = `${age} ${number}`;
      const first = this.#seen.get(key) ?? { since: now, waits };
      seen.set(key, first);
      const rounds = waits - first.waits;
      const place = program.placeWith(number);
      const row = looked.find(({ id }) => id === task);
      if (row === undefined || place === null || rounds < FEWEST_ROUNDS) continue;
      if (now - first.since <= limits.loopedAwaitsMs || !this.#isInLoop(place)) continue;
      const where = `${place.file}:${place.line}`;
      const tasks = [...(found.get(where)?.tasks ?? []), task].slice(0, MOST_NAMED);
      const text = `${taskText(memory, row)} has awaited ${rounds} times, one after the other, in ${seconds(now - first.since)}`;
      found.set(where, findingAt(place, where, text, tasks, first.since));
    }
    this.#seen = seen;
    return [...found.values()];
  }

  #isInLoop({ file, line, column }: Place): boolean {
    const key = `${file}:${line}:${column}`;
    const known = this.#isIndependent.get(key);
    if (known !== undefined) return known;
    const isInLoop = isLoopIn(file, line, column);
    if (this.#isIndependent.size >= MOST_PLACES) this.#isIndependent.clear();
    this.#isIndependent.set(key, isInLoop);
    return isInLoop;
  }
}

/** Waits for what others do, and not for a turn, a lock or the time: these make a loop slow on purpose. */
function isWork({ activity, target, other, children }: TaskRow, memory: Look["memory"]): boolean {
  if (activity === "quiet") return true;
  if (activity !== "waiting") return false;
  if (other !== 0 || children > 0) return true;
  return resourceId(memory, target) === null && !PATIENT.test(labelOf(memory, target));
}

function isLoopIn(file: string, line: number, column: number): boolean {
  try {
    return isInIndependentLoop(readFileSync(file, "utf8"), line, column);
  } catch {
    return false; // made up by a loader, or gone
  }
}

function findingAt(place: Place, where: string, text: string, tasks: readonly number[], sinceMs: number): Finding {
  return {
    key: `loop ${where}`,
    kind: "awaits-in-a-loop",
    severity: "info",
    message: `${text}, in a loop of which no round needs the one before`,
    remedy:
      "await them together: gather(items.map((item) => () => work(item))), or map(items, work, { concurrency: 10 })",
    tasks,
    place,
    resource: null,
    sinceMs,
  };
}
