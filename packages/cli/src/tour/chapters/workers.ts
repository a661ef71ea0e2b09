// Work that computes: gather cannot overlap what never waits; a pool of threads can, and the event loop stays free.

import { createTask, gather, sleep } from "meanwhile";
import { WorkerPool } from "meanwhile/workers";

import type { Chapter } from "../chapter.ts";
import { Laps } from "../laps.ts";
import { codeOf } from "../source.ts";
import type { Stage } from "../stage.ts";

const NUMBERS = [33, 33, 33, 33];
const TICK_MS = 10;

type Pool = WorkerPool<typeof import("./workers.ts")>;

/**
 * The work. Exported for the threads of the pool, which load this file too.
 *
 * @public
 */
export function fibonacci(n: number): number {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

async function onTheLoop(laps: Laps) {
  const job = (n: number) => async () => {
    using _ = laps.start(`fibonacci(${n})`);
    return fibonacci(n);
  };
  await gather(NUMBERS.map(job));
}

async function inAPool(pool: Pool, laps: Laps) {
  const job = (n: number) => async () => {
    using _ = laps.start(`fibonacci(${n})`);
    return await pool.call("fibonacci", n);
  };
  await gather(NUMBERS.map(job));
}

/** Does the work beside a timer that should go off every 10 ms; gives the milliseconds it was late at worst. */
async function besideATimer(work: () => Promise<void>): Promise<number> {
  let worst = 0;
  await using _timer = createTask(async () => {
    for (;;) {
      const due = performance.now() + TICK_MS;
      await sleep(TICK_MS);
      worst = Math.max(worst, performance.now() - due);
    }
  });
  await sleep(TICK_MS);
  await work();
  await sleep(TICK_MS);
  return worst;
}

async function play(stage: Stage): Promise<void> {
  stage.say(
    "What computes does not wait, so there is nothing to overlap: gather runs it one after the other, and blocks everything else. Threads do it at once. Beside both, a timer of 10 ms:",
  );
  stage.code(codeOf(import.meta.url, ["fibonacci", "onTheLoop", "inAPool"]));
  await using pool: Pool = new WorkerPool(new URL(import.meta.url));
  await pool.warmUp();
  const blocked = new Laps();
  const lateBlocked = await besideATimer(() => onTheLoop(blocked));
  const free = new Laps();
  const lateFree = await besideATimer(() => inAPool(pool, free));
  const fullMs = Math.max(blocked.totalMs, free.totalMs);
  stage.bars(blocked.all, fullMs);
  stage.belowBar(`the timer was ${lateBlocked.toFixed(0)} ms late`);
  stage.space();
  stage.bars(free.all, fullMs);
  stage.belowBar(`the timer was ${lateFree.toFixed(0)} ms late`);
  const [slow, fast] = [blocked, free].map(({ totalMs }) => totalMs.toFixed(0));
  stage.result(
    `${slow} ms on the event loop, ${fast} ms in ${pool.statistics().threads} threads, and the timer kept going.`,
  );
}

/** A chapter about other cores. */
export const workersChapter: Chapter = {
  title: "Work that computes, on other cores",
  moduleUrl: import.meta.url,
  play,
};
