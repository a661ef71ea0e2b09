// The note's retry decorator: works with sync functions and with async ones.

import { exponential, fixed, retry, retrying, run, sleep } from "meanwhile";

let calls = 0;

/** Fails twice, then succeeds. */
function flaky(): string {
  calls += 1;
  if (calls % 3 !== 0) throw new Error(`call ${calls} failed`);
  return `call ${calls} succeeded`;
}

async function flakyAsync(): Promise<string> {
  await sleep(5);
  return flaky();
}

await run(async () => {
  // One call, with a say in each failure.
  const policy = {
    attempts: 5,
    backoff: exponential({ baseMs: 10, maxMs: 100 }),
    onRetry: ({ error, delayMs }: { error: unknown; delayMs: number }) =>
      console.log(`  ${String(error)}; again in ${Math.round(delayMs)} ms`),
  };
  console.log(await retry(flakyAsync, policy));

  // As a decorator: every call of the new function is retried.
  const patient = retrying(flaky, { backoff: fixed(10) });
  console.log(await patient());
});
