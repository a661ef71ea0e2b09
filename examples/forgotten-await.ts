// Mistake 2 of the note: forgetting `await`. The linter flags it; what slips through is reported with its line.

import { once } from "node:events";

import { coroutine, run } from "meanwhile";

const fetchData = coroutine(async function fetchData(): Promise<string> {
  return "the data";
});

const warned = once(process, "warning"); // it goes to stderr as well

await run(async function wrong() {
  // oxlint-disable-next-line typescript/no-floating-promises -- this is the mistake
  fetchData();
});

const [warning] = await warned;
console.log(`caught: ${warning.code}`);

await run(async function correct() {
  console.log(await fetchData());
});
