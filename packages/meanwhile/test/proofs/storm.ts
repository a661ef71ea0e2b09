// Workers that stay get on while others like them are cancelled and started again all the time.

import assert from "node:assert/strict";

import { cancelScope, checkpoint, createTask, gather, now, sleep } from "meanwhile";

import { seededIntegers } from "../util/random.ts";
import type { Crowd, Round } from "./storm-crowds.ts";

/** In each of these every worker must have got on. */
const STEP_MS = 500;
/** Workers of each round that stay, and as many that do not, where the crowd does not say otherwise. */
const WORKERS = 2;
/** The longest a worker that does not stay lasts. */
const LONGEST_MS = 4;

class Worker {
  readonly #round: Round;
  rounds = 0;

  constructor(round: Round) {
    this.#round = round;
  }

  async work(): Promise<never> {
    for (;;) {
      await this.#round();
      this.rounds += 1;
      // Also where a round never waits: a worker can be cancelled between two.
      await checkpoint();
    }
  }
}

/** What came of a storm. */
export interface Weathered {
  /** Rounds of those who stayed. */
  rounds: number;
  /** How often a worker was cancelled. */
  cancelled: number;
}

/** Runs a storm over a crowd for so long, on the clock of the run. */
export async function weather(crowd: Crowd, forMs: number, seed: number): Promise<Weathered> {
  const below = seededIntegers(seed);
  const result: Weathered = { rounds: 0, cancelled: 0 };
  const rounds = crowd.rounds.flatMap((round) => Array.from({ length: crowd.workers ?? WORKERS }, () => round));
  const staying = rounds.map((round) => new Worker(round));
  const restart = (round: Round) => async (): Promise<never> => {
    for (;;) {
      await startAndCancel(round, below(LONGEST_MS + 1));
      result.cancelled += 1;
    }
  };
  await cancelScope((scope) =>
    gather([
      ...staying.map((worker) => () => worker.work()),
      ...rounds.map(restart),
      async () => {
        await watch(staying, forMs);
        scope.cancel("the storm is over");
      },
    ]),
  );
  crowd.check?.();
  result.rounds = staying.reduce((sum, worker) => sum + worker.rounds, 0);
  return result;
}

async function startAndCancel(round: Round, afterMs: number): Promise<void> {
  await using task = createTask(() => new Worker(round).work());
  // After 0 ms it is in its first turn.
  await sleep(afterMs);
  assert.equal(task.done, false, "only its cancellation ends a worker");
}

async function watch(workers: readonly Worker[], forMs: number): Promise<void> {
  const end = now() + forMs;
  while (now() < end) {
    const before = workers.map(({ rounds }) => rounds);
    await sleep(STEP_MS);
    const stuck = workers.flatMap(({ rounds }, i) => (rounds === before[i] ? [`worker ${i} (${rounds} rounds)`] : []));
    assert.deepEqual(stuck, [], `workers that did not get on in ${STEP_MS} ms`);
  }
}
