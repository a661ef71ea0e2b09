// Cancels a job at its deadline, if its client does not.

const { clearTimeout, setTimeout } = globalThis;

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What is around a job that runs. */
export class Belt {
  readonly #msLeft: () => Promise<number>;
  readonly #timeIsUp: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOff = false;

  /** @param msLeft - how much time there is left, at most; asked again when that has passed. Never throws */
  constructor(msLeft: () => Promise<number>, timeIsUp: () => void) {
    this.#msLeft = msLeft;
    this.#timeIsUp = timeIsUp;
    this.#look().catch(timeIsUp);
  }

  async #look(): Promise<void> {
    const ms = await this.#msLeft();
    if (this.#isOff) return;
    if (ms <= 0) this.#timeIsUp();
    else if (ms < LONGEST_TIMER_MS) this.#timer = setTimeout(() => void this.#look(), ms);
  }

  /** The job has ended. */
  off(): void {
    this.#isOff = true;
    clearTimeout(this.#timer);
  }
}
