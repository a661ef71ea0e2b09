// Looks from time to time after what nobody uses. Its timer keeps no process running.

/** Longer timers do not exist. */
const LONGEST_MS = 2 ** 31 - 1;

const { performance } = globalThis;

export class Sweeper {
  readonly #inContext: <R>(callback: () => R) => R;
  readonly #sweep: () => number | null;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  /**
   * @param inContext - runs a callback where no scope of a task is kept
   * @param sweep - does the work, and tells when there is more to do; null if there is nothing
   */
  constructor(inContext: <R>(callback: () => R) => R, sweep: () => number | null) {
    this.#inContext = inContext;
    this.#sweep = sweep;
  }

  /** Makes sure that there is a look at that time, or before. */
  wakeAt(time: number): void {
    if (this.#timer !== null || this.#isStopped || time === Infinity) return;
    const ms = Math.min(Math.max(time - performance.now(), 0), LONGEST_MS);
    this.#timer = this.#inContext(() => setTimeout(() => this.#look(), ms).unref());
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #look(): void {
    this.#timer = null;
    const next = this.#sweep();
    if (next !== null) this.wakeAt(next);
  }
}
