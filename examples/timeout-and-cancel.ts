// Ending things early: every `finally` has run before the call returns.

import { moveOnAfter, race, run, sleep, timeout, TimeoutError } from "meanwhile";

async function work(name: string, ms: number): Promise<string> {
  try {
    await sleep(ms);
    return `${name} is ready`;
  } finally {
    console.log(`  ${name} cleaned up`);
  }
}

await run(async () => {
  try {
    await timeout(50, () => work("slow", 10_000));
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    console.log(error.message);
  }
  console.log(`without an error: ${await moveOnAfter(50, () => work("optional", 10_000))}`);
  console.log(await race([() => work("fast", 20), () => work("slower", 10_000)])); // the loser is cancelled
});
