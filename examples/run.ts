// asyncio.run(main()) is `await run(main)`: it starts the runtime, and when it returns nothing is left running.

import { createTask, currentTask, run, sleep } from "meanwhile";

async function heartbeat(): Promise<void> {
  try {
    for (;;) {
      await sleep(20);
      console.log("  still alive");
    }
  } finally {
    console.log("  heartbeat stopped"); // cancelled when main has ended
  }
}

async function main(): Promise<string> {
  createTask(heartbeat); // owned by the run
  await sleep(70);
  return `result of the task "${currentTask().name}"`;
}

console.log(await run(main));
