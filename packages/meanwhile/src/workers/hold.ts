// Keeps the process alive while a pool has jobs. Cheaper than a timer for each time: calls come and go by the thousand.

const { clearInterval, setInterval } = globalThis;

const LONGEST_MS = 2_147_483_647;

/** Something that keeps the process alive, or not. */
export class Hold {
  #timer: ReturnType<typeof setInterval> | null = null;

  /** From now on the process stays. */
  take(): void {
    if (this.#timer === null) this.#timer = setInterval(() => {}, LONGEST_MS);
    else this.#timer.ref();
  }

  /** From now on it may end. */
  release(): void {
    this.#timer?.unref();
  }

  /** Nothing comes any more. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
