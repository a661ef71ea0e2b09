// What the program has told of its tasks, read from the numbers that it sends.

import { type Answer, TOLD_FRAME, TOLD_SCOPE, TOLD_SCOPE_FLAG, TOLD_TASK, TOLD_WAIT, TOLD_WAIT_FLAG } from "../link.ts";
import type { OpenScope } from "../protocol.ts";
import { round } from "./loop-delay.ts";

/** A wait as it was told. */
export interface ToldWait {
  /** Null where the row of the target tells it. */
  readonly text: string | null;
  /** The row of the target; 0 if it has none. */
  readonly row: number;
  /** The task that is waited for; 0 for none. */
  readonly task: number;
  readonly foreign: boolean;
  /** Whether the end of one task is enough, of several. */
  readonly needsOne: boolean;
  /** Whether it is for something that runs elsewhere. */
  readonly remote: boolean;
  /** The functions that wait, as a number; 0 if they are not known. */
  readonly calls: number;
  /** The tasks that could end it, where the row does not tell them. */
  readonly holders: readonly number[];
}

/** A task as it was told. */
export interface ToldTask {
  readonly id: number;
  /** How many waits it had begun: agrees with its row if nothing has happened since. */
  readonly steps: number;
  /** Whether there is a deadline that ends its waits. */
  readonly hasDeadline: boolean;
  readonly scopes: readonly OpenScope[];
  readonly waits: readonly ToldWait[];
}

/** The tasks in an answer. */
export function readTold({ words, texts }: Pick<Answer, "words" | "texts">): ToldTask[] {
  const told: ToldTask[] = [];
  let at = 0;
  const word = (field: number): number => words[at + field] as number;
  const readScope = (): OpenScope => {
    const [flags, deadline] = [word(TOLD_SCOPE.flags), word(TOLD_SCOPE.deadline)];
    at += TOLD_SCOPE.words;
    return {
      shielded: (flags & TOLD_SCOPE_FLAG.shielded) !== 0,
      cancelled: (flags & TOLD_SCOPE_FLAG.cancelled) !== 0,
      deadlineAtMs: deadline === Infinity ? null : round(deadline),
    };
  };
  const readWait = (): ToldWait => {
    const [row, task, flags] = [word(TOLD_WAIT.row), word(TOLD_WAIT.task), word(TOLD_WAIT.flags)];
    const [text, calls, count] = [texts[word(TOLD_WAIT.text)] ?? null, word(TOLD_WAIT.calls), word(TOLD_WAIT.holders)];
    const holders = Array.from(words.subarray(at + TOLD_WAIT.words, at + TOLD_WAIT.words + count));
    at += TOLD_WAIT.words + count;
    const foreign = (flags & TOLD_WAIT_FLAG.foreign) !== 0;
    const needsOne = (flags & TOLD_WAIT_FLAG.needsOne) !== 0;
    const remote = (flags & TOLD_WAIT_FLAG.remote) !== 0;
    return { row, task, foreign, needsOne, remote, text, calls, holders };
  };
  while (at < words.length) {
    const [id, steps, hasDeadline] = [word(TOLD_TASK.id), word(TOLD_TASK.steps), word(TOLD_TASK.hasDeadline) !== 0];
    const [scopes, waits] = [word(TOLD_TASK.scopes), word(TOLD_TASK.waits)];
    at += TOLD_TASK.words;
    told.push({
      id,
      steps,
      hasDeadline,
      scopes: Array.from({ length: scopes }, readScope),
      waits: Array.from({ length: waits }, readWait),
    });
  }
  return told;
}

/** A call that waits, as it was told. */
export interface ToldFrame {
  readonly task: number;
  /** Unique in the process. */
  readonly age: number;
  /** How many waits it has begun. */
  readonly waits: number;
  /** Where it waits, as a number; 0 if that is not known. */
  readonly place: number;
}

/** The calls in an answer. */
export function readToldFrames({ words }: Pick<Answer, "words">): ToldFrame[] {
  return Array.from({ length: words.length / TOLD_FRAME.words }, (_, index) => {
    const word = (field: number): number => words[index * TOLD_FRAME.words + field] as number;
    return {
      task: word(TOLD_FRAME.task),
      age: word(TOLD_FRAME.age),
      waits: word(TOLD_FRAME.waits),
      place: word(TOLD_FRAME.place),
    };
  });
}
