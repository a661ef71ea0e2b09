// The waits of all tasks in the order they came, in few large arrays: a million events are taken in without touching fifty
// thousand lists. What belongs to one task is linked backwards, and put together when somebody looks at that task.

const FIRST_ROOM = 16_384;

/** The number of no entry. */
export const NO_ENTRY = -1;

/** Beginnings and ends of waits. */
export class WaitLog {
  #times = new Float64Array(FIRST_ROOM);
  // What a wait is for, as the number of a text; -1 is the end of a wait.
  #reasons = new Int32Array(FIRST_ROOM);
  #before = new Int32Array(FIRST_ROOM);
  #length = 0;

  /** Adds an entry of the task whose last one was `before`, and returns its number. */
  add(atMs: number, reason: number, before: number): number {
    if (this.#length === this.#times.length) this.#grow();
    const at = this.#length;
    this.#times[at] = atMs;
    this.#reasons[at] = reason;
    this.#before[at] = before;
    this.#length += 1;
    return at;
  }

  /** Tells the entries of a task up to `last`, those after `known`, the oldest first. */
  each(last: number, known: number, take: (atMs: number, reason: number) => void): void {
    const entries: number[] = [];
    for (let at = last; at > known; at = this.#before[at] ?? NO_ENTRY) entries.push(at);
    for (const at of entries.toReversed()) take(this.#times[at] ?? 0, this.#reasons[at] ?? NO_ENTRY);
  }

  #grow(): void {
    const room = this.#length * 2;
    const [times, reasons, before] = [new Float64Array(room), new Int32Array(room), new Int32Array(room)];
    times.set(this.#times);
    reasons.set(this.#reasons);
    before.set(this.#before);
    this.#times = times;
    this.#reasons = reasons;
    this.#before = before;
  }
}
