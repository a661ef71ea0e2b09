// Mistake 3 of the note: mixing sync and async code. What needs a run says so, and what to do, where it is missing.

import { createTask, run, sleep, UsageError } from "meanwhile";

async function asyncFunction(): Promise<string> {
  await sleep(10);
  return "result";
}

function syncFunction(): void {
  createTask(asyncFunction); // a task of which run? there is none
}

try {
  syncFunction();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.log(`${error.code}: ${error.message}`);
}

// The way from outside into async code is run(). Waiting alone needs none.
console.log(await run(asyncFunction));
console.log(await asyncFunction());
