// Equal requests that are under way at once: one asks, the others wait for what it finds. Nothing is held for them but the
// entry that is kept anyway.

import { Event, moveOnAfter, now } from "meanwhile";

/** How it went: the answer was kept, it was not, no answer like it ever will be, or the one who asked was no good. */
export type Outcome = "kept" | "not-kept" | "unstorable" | "failed";

interface Flight {
  followers: number;
  outcome: Outcome;
  readonly landed: Event;
}

/** For so long nobody waits for an answer like one that could not be kept. */
const UNSHARED_MS = 60_000;
const MOST_UNSHARED = 1_000;

export class Flights {
  // Where nobody waits for another, several may ask at once: the newest is in here.
  readonly #byKey = new Map<string, Flight>();
  /** Until when an answer is thought to be for its asker alone. */
  readonly #unshared = new Map<string, number>();

  /** Whether somebody asks already whose answer may do for others. */
  has(key: string): boolean {
    return this.#byKey.has(key) && (this.#unshared.get(key) ?? 0) <= now();
  }

  /** Waits for the one who asks, but not longer than `ms`; undefined if it is not back by then. */
  async follow(key: string, ms: number): Promise<Outcome | undefined> {
    const flight = this.#byKey.get(key);
    if (flight === undefined) return "failed";
    flight.followers += 1;
    try {
      return await moveOnAfter(ms, async () => {
        await flight.landed.wait();
        return flight.outcome;
      });
    } finally {
      flight.followers -= 1;
    }
  }

  /** Asks for all who come meanwhile. `ask` is told how to see whether anybody waits, and says what became of the answer. */
  async lead<T>(key: string, ask: (isAwaited: () => boolean) => Promise<readonly [T, Outcome]>): Promise<T> {
    const flight: Flight = { followers: 0, outcome: "failed", landed: new Event() };
    this.#byKey.set(key, flight);
    try {
      const [result, outcome] = await ask(() => flight.followers > 0);
      flight.outcome = outcome;
      return result;
    } finally {
      if (this.#byKey.get(key) === flight) this.#byKey.delete(key);
      this.#note(key, flight.outcome);
      flight.landed.set();
    }
  }

  #note(key: string, outcome: Outcome): void {
    if (outcome === "kept") this.#unshared.delete(key);
    if (outcome !== "unstorable") return;
    if (this.#unshared.size >= MOST_UNSHARED) this.#unshared.clear();
    this.#unshared.set(key, now() + UNSHARED_MS);
  }
}
