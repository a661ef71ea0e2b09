// Where `gather` cannot help, and what does: work that computes and never waits.
// The same four numbers, on the event loop and in a pool; meanwhile a timer should go off every 10 ms.

import { createTask, gather, run, sleep } from "meanwhile";
import { WorkerPool } from "meanwhile/workers";

import { fibonacci } from "./support/math.ts";

const NUMBERS = [32, 32, 32, 32];

async function onTheLoop(): Promise<number[]> {
  return gather(NUMBERS.map((n) => async () => fibonacci(n))); // one after the other: nobody ever waits
}

async function inWorkers(pool: WorkerPool<typeof import("./support/math.ts")>): Promise<number[]> {
  return gather(NUMBERS.map((n) => () => pool.call("fibonacci", n)));
}

/** Runs the work beside a timer, and tells how late the timer was at worst. */
async function beside(what: string, work: () => Promise<number[]>): Promise<void> {
  let worst = 0;
  await using _timer = createTask(async () => {
    for (let last = performance.now(); ; last = performance.now()) {
      await sleep(10);
      worst = Math.max(worst, performance.now() - last - 10);
    }
  });
  await sleep(20);
  const started = performance.now();
  const [first] = await work();
  const ms = performance.now() - started;
  await sleep(20);
  console.log(`${what}: ${first} in ${ms.toFixed(0)} ms; the timer was up to ${worst.toFixed(0)} ms late`);
}

await run(async () => {
  await using pool = new WorkerPool<typeof import("./support/math.ts")>(new URL("./support/math.ts", import.meta.url));
  await pool.warmUp();
  await beside("gather on the loop", onTheLoop);
  await beside("gather over a pool", () => inWorkers(pool));
});
