// What 100 000 calls leave behind.

import { cancelScope, createTask, run } from "meanwhile";

const CALLS = 100_000;
const ENOUGH_BYTES = 2_000_000;

async function leaf(): Promise<void> {
  await Promise.resolve();
}

async function call(): Promise<void> {
  await leaf();
}

/** Each call begins the next one, and ends before it does. */
async function chain(left: number): Promise<void> {
  await Promise.resolve();
  if (left > 0) void chain(left - 1);
}

async function many(calls: number): Promise<void> {
  for (let count = 0; count < calls; count += 1) await call();
  await chain(calls);
  await new Promise((resolve) => setTimeout(resolve, 1));
  const cancelled = calls / 100;
  for (let count = 0; count < cancelled; count += 1) {
    await cancelScope(async (scope) => {
      setImmediate(() => scope.cancel());
      await new Promise(() => {});
    });
    await createTask(call);
  }
}

function used(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

await run(async () => {
  await many(CALLS / 10);
  const before = used();
  await many(CALLS);
  const grown = used() - before;
  console.log(grown < ENOUGH_BYTES ? "nothing is kept" : `${grown} bytes are kept`);
});
