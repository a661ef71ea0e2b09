// A function over a long list, on all cores: the results come in order, while the list is still being made.

import { run } from "meanwhile";
import { WorkerPool } from "meanwhile/workers";

function* numbers(): Generator<number> {
  for (let n = 1; ; n++) yield n; // as long as somebody asks
}

await run(async () => {
  await using pool = new WorkerPool<typeof import("./support/math.ts")>(new URL("./support/math.ts", import.meta.url));
  let sum = 0;
  let count = 0;
  for await (const primes of pool.map("countPrimes", numbers())) {
    sum += primes;
    count += 1;
    if (count === 2_000) break; // cancels what runs, and asks for no more numbers
  }
  console.log(`${count} results, ${sum} in all`);
});
