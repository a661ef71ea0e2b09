// Reads events out of the ring, as lists that can be sent. What was overwritten before it was read is a gap.

import { readName } from "../name-table.ts";
import type { GapMessage, TaskEvent, TaskOutcome } from "../protocol.ts";
import { EVENT, EVENT_KIND, NUMBER, type SharedMemory } from "../shared-memory.ts";
import { round } from "./loop-delay.ts";

/** What was read. */
export interface ReadEvents {
  /** What was lost before the events. */
  readonly gap: GapMessage | null;
  readonly events: readonly TaskEvent[];
}

/** At most so many are decoded at once: the worker has others to answer. */
const MOST = 8_192;

/** The writer may be writing these already. */
const MARGIN = 16;

const OUTCOMES: readonly TaskOutcome[] = ["succeeded", "failed", "cancelled"];
const CANCELLERS = ["call", "deadline", "signal"];

/** One reader, with its place in the ring. */
export class EventReader {
  readonly #memory: SharedMemory;
  /** The next event to read; the number of an event is its place plus one. */
  #next: number;

  /** @param after - the number of the event before the first; those that are gone are a gap */
  constructor(memory: SharedMemory, after: number) {
    this.#memory = memory;
    this.#next = Math.min(after, newestEvent(memory));
  }

  /** Whether everything was read. */
  get isThrough(): boolean {
    return this.#next >= newestEvent(this.#memory);
  }

  /** The events since the last call. */
  read(): ReadEvents {
    const end = Math.min(newestEvent(this.#memory), this.#next + MOST);
    const from = this.#next;
    const words = this.#copy(from, end);
    // What may have been overwritten while it was copied.
    const safe = Math.max(from, newestEvent(this.#memory) - this.#memory.capacities.events + MARGIN);
    this.#next = Math.max(end, safe);
    const events: TaskEvent[] = [];
    for (let at = safe; at < end; at++) {
      const event = this.#decode(words, at - from, at + 1);
      if (event !== null) events.push(event);
    }
    return { gap: safe > from ? { type: "gap", from: from + 1, to: Math.max(safe, from + 1) } : null, events };
  }

  #copy(from: number, to: number): Int32Array {
    const { eventWords, capacities } = this.#memory;
    const copied = new Int32Array(Math.max(0, to - from) * EVENT.words);
    for (let at = from; at < to;) {
      const index = at & (capacities.events - 1);
      const count = Math.min(to - at, capacities.events - index);
      copied.set(eventWords.subarray(index * EVENT.words, (index + count) * EVENT.words), (at - from) * EVENT.words);
      at += count;
    }
    return copied;
  }

  #decode(words: Int32Array, index: number, seq: number): TaskEvent | null {
    const at = index * EVENT.words;
    // Another event is there already, or not all of this one.
    if (words[at + EVENT.seq] !== ((seq - 1) | 0)) return null;
    const time = round(new Float64Array(words.buffer, at * 4, 1)[0] as number);
    const [task, a, b, c] = words.subarray(at + EVENT.task, at + EVENT.seq) as unknown as [
      number,
      number,
      number,
      number,
    ];
    switch (words[at + EVENT.kind]) {
      case EVENT_KIND.created:
        return [seq, time, "created", task, a, readName(this.#memory, b) ?? `task ${task}`];
      case EVENT_KIND.wait:
        return [seq, time, "wait", task, readName(this.#memory, a) ?? "something", b, c];
      case EVENT_KIND.resume:
        return [seq, time, "resume", task, a];
      case EVENT_KIND.ended:
        return [seq, time, "ended", task, OUTCOMES[a - 1] ?? "succeeded"];
      case EVENT_KIND.cancelled:
        return [seq, time, "cancelled", task, CANCELLERS[a - 1] ?? "call", b === 1];
      case EVENT_KIND.scopeOpened:
        return [seq, time, "scope-opened", task, a];
      case EVENT_KIND.scopeClosed:
        return [seq, time, "scope-closed", task, a];
      default:
        return null;
    }
  }
}

/** The number of the newest event. */
export function newestEvent({ numbers }: SharedMemory): number {
  return numbers[NUMBER.events] as number;
}

/** The number before the oldest event that the ring still has. */
export function beforeOldestEvent(memory: SharedMemory): number {
  return Math.max(0, newestEvent(memory) - memory.capacities.events + MARGIN);
}
