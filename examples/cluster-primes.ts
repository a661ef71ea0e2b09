// The same calls as with a pool, on the workers of a queue: here inside this process. With a server between them
//
//   meanwhile worker --connect redis://10.0.0.5 --queue math examples/support/math.ts
//
// runs on as many machines as there are, and this program passes the URL to connectCluster().

import { connectCluster, serveCluster } from "@meanwhile/cluster";
import { run, timeout, TimeoutError } from "meanwhile";

await run(async () => {
  await using _worker = await serveCluster(new URL("./support/math.ts", import.meta.url), { queue: "math" });
  const queue = { queue: "math" };
  await using cluster = await connectCluster<typeof import("./support/math.ts")>(undefined, queue);

  console.log(`fibonacci(20) is ${await cluster.call("fibonacci", 20)}`);

  let sum = 0;
  for await (const primes of cluster.map("countPrimes", [1_000, 2_000, 3_000])) sum += primes;
  console.log(`${sum} primes counted`);

  // A job of one key is run once, whoever asks for it, and however often.
  const ask = () => cluster.start("countPrimes", [100_000], { idempotencyKey: "report of today" });
  console.log(`asked twice: ${await ask()}, ${await ask()}`);

  // The deadline is known where the work is done; what runs there is ended.
  try {
    await timeout(100, () => cluster.call("fibonacci", 60));
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    console.log("fibonacci(60) takes too long");
  }
});
