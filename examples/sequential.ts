// The note's first program: three waits, one after another. Compare with concurrent.ts.

import { run, sleep } from "meanwhile";

async function fetchData(url: string): Promise<string> {
  await sleep(100); // simulating network delay
  return `Data from ${url}`;
}

const started = performance.now();
await run(async () => {
  const result1 = await fetchData("api.com/1"); // wait 100 ms
  const result2 = await fetchData("api.com/2"); // wait 100 ms
  const result3 = await fetchData("api.com/3"); // wait 100 ms
  console.log([result1, result2, result3]);
});
console.log(`took ${Math.round(performance.now() - started)} ms: three waits, one after another`);
