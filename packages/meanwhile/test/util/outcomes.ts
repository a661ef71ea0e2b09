// What became of something that is expected to fail, or to wait.

import assert from "node:assert/strict";

import { checkpoint } from "meanwhile";

/** The error of something that must fail. */
export async function errorOf(failing: PromiseLike<unknown>): Promise<Error & { readonly code?: string }> {
  let value: unknown;
  try {
    value = await failing;
  } catch (error) {
    assert.ok(error instanceof Error, `thrown was ${String(error)}`);
    return error;
  }
  return assert.fail(`it gave ${String(value)}`);
}

/** Whether a call gives the event loop a turn when this one has lasted longer than its budget. */
export async function givesWay(call: () => PromiseLike<unknown>): Promise<boolean> {
  let hadTurn = false;
  setImmediate(() => (hadTurn = true));
  // All in one go: nothing may end this turn before the call.
  const turnStarted = checkpoint();
  const started = performance.now();
  while (performance.now() - started < 6);
  const called = call();
  await called;
  const gaveWay = hadTurn;
  await turnStarted;
  return gaveWay;
}
