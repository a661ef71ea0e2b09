// Equal requests that are under way at once: one asks, the others wait for what it finds. Nothing is held for them but the
// entry that is kept anyway.

import { cancellable } from "meanwhile";

/** How it went: the answer was kept, none was and none will be, or the one who asked was no good. */
export type Outcome = "kept" | "not-kept" | "failed";

interface Flight {
  followers: number;
  readonly landed: PromiseWithResolvers<Outcome>;
}

export class Flights {
  readonly #byKey = new Map<string, Flight>();

  /** Whether somebody asks already. */
  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** Waits for the one who asks. */
  async follow(key: string): Promise<Outcome> {
    const flight = this.#byKey.get(key);
    if (flight === undefined) return "failed";
    flight.followers += 1;
    try {
      return await cancellable(flight.landed.promise);
    } finally {
      flight.followers -= 1;
    }
  }

  /** Asks for all who come meanwhile. `ask` is told how to see whether anybody waits, and says whether it was kept. */
  async lead<T>(key: string, ask: (isAwaited: () => boolean) => Promise<readonly [T, boolean]>): Promise<T> {
    const flight: Flight = { followers: 0, landed: Promise.withResolvers() };
    this.#byKey.set(key, flight);
    let outcome: Outcome = "failed";
    try {
      const [result, isKept] = await ask(() => flight.followers > 0);
      outcome = isKept ? "kept" : "not-kept";
      return result;
    } finally {
      this.#byKey.delete(key);
      flight.landed.resolve(outcome);
    }
  }
}
