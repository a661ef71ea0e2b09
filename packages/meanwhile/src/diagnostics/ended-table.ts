// The rows of ended tasks in the shared memory: the writer's side. The newest take the places of the oldest.

import { ENDED, NUMBER, type SharedMemory, TASK, WORD } from "./shared-memory.ts";

/** Writes down the end of the task in a row. The row stays as it is. */
export function copyToEnded(memory: SharedMemory, row: number, outcome: number, now: number): void {
  const { taskWords, taskNumbers, endedWords, endedNumbers, header, numbers, capacities } = memory;
  const head = header[WORD.endedHead] as number;
  header[WORD.endedHead] = head + 1 === capacities.ended ? 0 : head + 1;
  (numbers[NUMBER.ended] as number)++;
  const [from, to] = [row * TASK.words, head * ENDED.words];
  const [fromNumbers, toNumbers] = [row * TASK.numbers, head * ENDED.numbers];
  endedNumbers[toNumbers + ENDED.createdAt] = taskNumbers[fromNumbers + TASK.createdAt] as number;
  endedNumbers[toNumbers + ENDED.endedAt] = now;
  endedNumbers[toNumbers + ENDED.cancelledAt] = taskNumbers[fromNumbers + TASK.cancelledAt] as number;
  endedNumbers[toNumbers + ENDED.waited] = taskNumbers[fromNumbers + TASK.waited] as number;
  endedWords[to + ENDED.id] = taskWords[from + TASK.id] as number;
  endedWords[to + ENDED.parent] = taskWords[from + TASK.parent] as number;
  endedWords[to + ENDED.name] = taskWords[from + TASK.name] as number;
  endedWords[to + ENDED.outcome] = outcome;
  endedWords[to + ENDED.steps] = taskWords[from + TASK.steps] as number;
}
