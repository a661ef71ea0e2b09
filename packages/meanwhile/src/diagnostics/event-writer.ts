// The ring of events in the shared memory: the writer's side. To be called between beginChange and endChange.

import { EVENT, NUMBER, type SharedMemory } from "./shared-memory.ts";

/** Writes an event; what `a`, `b` and `c` are depends on the kind. */
// Six parameters: an object for each event would be garbage at every wait.
export type WriteEvent = (at: number, kind: number, task: number, a: number, b: number, c: number) => void;

/** Writes events, over the oldest ones when the ring is full. */
export function eventWriter({ numbers, eventWords, eventNumbers, capacities }: SharedMemory): WriteEvent {
  const mask = capacities.events - 1;
  let written = 0;
  return (at, kind, task, a, b, c) => {
    const index = written & mask;
    const word = index * EVENT.words;
    eventNumbers[index * EVENT.numbers + EVENT.at] = at;
    eventWords[word + EVENT.kind] = kind;
    eventWords[word + EVENT.task] = task;
    eventWords[word + EVENT.a] = a;
    eventWords[word + EVENT.b] = b;
    eventWords[word + EVENT.c] = c;
    eventWords[word + EVENT.seq] = written;
    written += 1;
    numbers[NUMBER.events] = written;
  };
}
