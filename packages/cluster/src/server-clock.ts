// The clock of the server, which both sides can read. Deadlines go from one to the other by it.
//
// It may be set while jobs are under way, and the sides do not notice that at the same moment. So a deadline of another side is
// held against every reading of the last minute, and the one that leaves the most time counts: it is for a client that does not
// cancel its job itself, and may come late.

const { performance } = globalThis;

/** For how long others may go by an old reading. */
const KEPT_MS = 60_000;

interface Reading {
  /** By how much the clock is ahead of `performance.now()`. */
  readonly ahead: number;
  readonly at: number;
}

/** What is known of the clock of a server. */
export class ServerClock {
  readonly #ask: () => Promise<number>;
  // The newest is the last.
  #readings: Reading[] = [];

  /** @param ask - gives the time of the server in ms */
  constructor(ask: () => Promise<number>) {
    this.#ask = ask;
  }

  /** Reads it. @throws what the server throws */
  async read(): Promise<void> {
    const before = performance.now();
    const serverTime = await this.#ask();
    const at = performance.now();
    const others = this.#readings.filter((reading) => at - reading.at < KEPT_MS);
    this.#readings = [...others, { ahead: serverTime - (before + at) / 2, at }];
  }

  /** What it shows at a time of `performance.now()`; null as long as nobody has read it. */
  at(time: number): number | null {
    const newest = this.#readings.at(-1);
    return newest === undefined ? null : time + newest.ahead;
  }

  /** How long it is until it shows the time, at most; `Infinity` as long as nobody has read it. */
  msUntil(time: number): number {
    if (this.#readings.length === 0) return Infinity;
    const least = Math.min(...this.#readings.map(({ ahead }) => ahead));
    return time - least - performance.now();
  }
}
