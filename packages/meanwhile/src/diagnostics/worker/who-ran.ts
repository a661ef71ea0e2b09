// Which task ran for long, from what was recorded: for blocks at which nobody looked.

import { readName } from "../name-table.ts";
import type { Block } from "../protocol.ts";
import { ENDED, EVENT, EVENT_KIND, NUMBER, type SharedMemory, TASK } from "../shared-memory.ts";

interface Step {
  readonly at: number;
  /** The task that ran until then. */
  readonly task: number;
}

/**
 * The task whose code took most of the time between two moments; null if that was not recorded. A task that runs tells when
 * it begins to wait or ends: so what ends the longest silence is what ran in it.
 */
export function taskThatRan(memory: SharedMemory, from: number, until: number): Block["task"] {
  let before = from;
  let longest: { readonly ms: number; readonly task: number } = { ms: (until - from) / 2, task: 0 };
  for (const { at, task } of stepsSince(memory, from)) {
    if (at - before > longest.ms) longest = { ms: at - before, task };
    before = at;
  }
  return longest.task === 0 ? null : { id: longest.task, name: nameOfTask(memory, longest.task) };
}

/** The ends of steps since then, the oldest first. */
function stepsSince({ eventWords, eventNumbers, numbers, capacities }: SharedMemory, from: number): Step[] {
  const newest = numbers[NUMBER.events] as number;
  const steps: Step[] = [];
  for (let seq = newest - 1; seq >= Math.max(0, newest - capacities.events); seq--) {
    const index = seq & (capacities.events - 1);
    const word = index * EVENT.words;
    const at = eventNumbers[index * EVENT.numbers + EVENT.at] as number;
    // Of those that are overwritten meanwhile nothing is known.
    if (at <= from || eventWords[word + EVENT.seq] !== (seq | 0)) break;
    const kind = eventWords[word + EVENT.kind];
    if (kind === EVENT_KIND.wait || kind === EVENT_KIND.ended) {
      steps.push({ at, task: eventWords[word + EVENT.task] as number });
    }
  }
  return steps.toReversed();
}

/** Live or ended. */
function nameOfTask(memory: SharedMemory, id: number): string {
  const { taskWords, endedWords, capacities } = memory;
  for (let row = 0; row < capacities.tasks; row++) {
    if (taskWords[row * TASK.words + TASK.id] === id) return named(memory, taskWords[row * TASK.words + TASK.name], id);
  }
  for (let row = 0; row < capacities.ended; row++) {
    if (endedWords[row * ENDED.words + ENDED.id] === id)
      return named(memory, endedWords[row * ENDED.words + ENDED.name], id);
  }
  return `task ${id}`;
}

function named(memory: SharedMemory, reference: number | undefined, id: number): string {
  return readName(memory, reference ?? 0) ?? `task ${id}`;
}
