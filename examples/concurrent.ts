// The note's second program: the same three waits, together. Compare with sequential.ts.

import { gather, run, sleep } from "meanwhile";

async function fetchData(url: string): Promise<string> {
  await sleep(100); // simulating network delay
  return `Data from ${url}`;
}

async function main(): Promise<string[]> {
  return gather([() => fetchData("api.com/1"), () => fetchData("api.com/2"), () => fetchData("api.com/3")]);
}

const started = performance.now();
console.log(await run(main));
console.log(`took ${Math.round(performance.now() - started)} ms: as long as one wait`);
