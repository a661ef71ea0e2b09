// The ring of events in the shared memory: the writer's side. To be called between beginChange and endChange.

import { EVENT, NUMBER, type SharedMemory } from "./shared-memory.ts";

/** Writes events, over the oldest ones when the ring is full. */
export class EventWriter {
  readonly #numbers: Float64Array;
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  readonly #mask: number;
  #written = 0;

  constructor({ numbers, eventWords, eventNumbers, capacities }: SharedMemory) {
    this.#numbers = numbers;
    this.#words = eventWords;
    this.#times = eventNumbers;
    this.#mask = capacities.events - 1;
  }

  /** Writes one; what `a`, `b` and `c` are depends on the kind. */
  // Six parameters: an object for each event would be garbage at every wait.
  write(at: number, kind: number, task: number, a: number, b: number, c: number): void {
    const index = this.#written & this.#mask;
    const word = index * EVENT.words;
    this.#times[index * EVENT.numbers + EVENT.at] = at;
    this.#words[word + EVENT.kind] = kind;
    this.#words[word + EVENT.task] = task;
    this.#words[word + EVENT.a] = a;
    this.#words[word + EVENT.b] = b;
    this.#words[word + EVENT.c] = c;
    this.#words[word + EVENT.seq] = this.#written;
    this.#written += 1;
    this.#numbers[NUMBER.events] = this.#written;
  }
}
