// A long computation in a worker: its progress, a deadline, and a result that is worth having all the same.

import { moveOnAfter, run } from "meanwhile";
import { WorkerPool } from "meanwhile/workers";

await run(async () => {
  await using pool = new WorkerPool<typeof import("./support/math.ts")>(new URL("./support/math.ts", import.meta.url));

  await using job = pool.start("countPrimes", [300_000]);
  let shown = 0;
  for await (const part of job.progress) {
    if (Number(part) < shown) continue;
    console.log(`${Math.round(Number(part) * 100)} %`);
    shown += 0.25;
  }
  console.log(`${await job} primes`);

  // What takes too long is cancelled there too, and what it has found so far is delivered.
  const found = await moveOnAfter(50, () => pool.call("countPrimes", 1_000_000_000));
  console.log(`${found} primes found in 50 ms`);
  console.log(`${await pool.call("fibonacci", 20)}, computed by a worker that is still there`);
});
