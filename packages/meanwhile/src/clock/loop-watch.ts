// How long the event loop was blocked while an answer was awaited, so that a timeout can tell a dead network from a busy
// program. A heartbeat runs only as long as somebody waits.

const BEAT_MS = 20;
/** Shorter stretches are ordinary work. */
const WORTH_MENTIONING_MS = 100;

const { setInterval, clearInterval, performance } = globalThis;

let watchers = 0;
let timer: ReturnType<typeof setInterval> | undefined;
let lastBeat = 0;
let blockedMs = 0;

function beat(): void {
  const now = performance.now();
  blockedMs += overdue(now);
  lastBeat = now;
}

function overdue(now: number): number {
  const late = now - lastBeat - BEAT_MS;
  return late >= WORTH_MENTIONING_MS ? late : 0;
}

/**
 * Watches the event loop from now on, for whoever waits for an answer. Stretches below 100 ms are ordinary work.
 *
 * @example
 * ```ts
 * import { LoopWatch } from "meanwhile/lowlevel";
 *
 * const watch = new LoopWatch();
 * console.log(watch.blockedMs); //> 0
 * watch.stop();
 * ```
 */
export class LoopWatch {
  readonly #before: number;
  #stopped = false;

  constructor() {
    if (watchers === 0) {
      lastBeat = performance.now();
      timer = setInterval(beat, BEAT_MS).unref();
    }
    watchers += 1;
    this.#before = blockedMs;
  }

  /** For how many milliseconds since the start the loop could not turn. */
  get blockedMs(): number {
    return blockedMs - this.#before + overdue(performance.now());
  }

  /** To be called when the answer is there, or nobody waits any more. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    watchers -= 1;
    if (watchers === 0) clearInterval(timer);
  }
}
