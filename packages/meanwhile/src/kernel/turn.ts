// The turn of the event loop: how long it has lasted.
//
// Budget: a checkpoint gives the event loop a turn once this turn has lasted 5 ms of real time, so that a task that
// never really has to wait cannot starve timers and sockets, and a fast path stays fast. There is no hook for the
// start of a turn: the first checkpoint of a turn notes the time, and an unref'd immediate forgets it.

import type { Runner } from "./runner.ts";

// Taken at load time, so that test tools that replace the globals do not reach into the runtime.
const { setImmediate, performance } = globalThis;

/** How long one turn of the event loop may last before a checkpoint gives way. */
export const BUDGET_MS = 5;

const NOT_STARTED = -1;
let turnStartedAt = NOT_STARTED;

/** Whether this turn of the event loop has used up its budget, so that a checkpoint must give way. */
export function turnIsOver({ director }: Runner): boolean {
  if (director !== null) return director.turnIsOver();
  const now = performance.now();
  if (turnStartedAt === NOT_STARTED) {
    turnStartedAt = now;
    setImmediate(forgetTurn).unref();
    return false;
  }
  return now - turnStartedAt >= BUDGET_MS;
}

/** A new turn has begun. */
export function forgetTurn(): void {
  turnStartedAt = NOT_STARTED;
}

/**
 * A promise that refuses what a cancelled scope asks for; after a turn of the event loop, if this one is over. Code that
 * catches everything and waits again would keep everybody else from going on, for ever.
 */
export function refused(runner: Runner, error: unknown): Promise<never> {
  if (!mustTurn(runner)) return Promise.reject(error);
  return new Promise((_resolve, reject) => void setImmediate(reject, error));
}

/** Whether a refusal has to wait for a turn. With a director it has not: nothing else runs meanwhile. */
export function mustTurn(runner: Runner): boolean {
  return runner.director === null && turnIsOver(runner);
}
