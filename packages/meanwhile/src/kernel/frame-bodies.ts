// Bodies and jobs that are plain functions in instrumented code, like `() => fetch(url)`: they have no frame, but may
// return a promise of anybody, which the runtime itself then awaits for them.

import { type FunctionSite, sitesOf } from "./frame-sites.ts";
import { watch, waitRefused } from "./frame-wait.ts";
import { afterWait, enterFrame, exitFrame, type Frame, isOurs, promiseOf, suspendFrame } from "./frames.ts";

const plain = new WeakSet<object>();

/** Notes a plain function of instrumented code that is given away: it may be a body or a job that returns a promise of anybody. */
export function notePlainFunction(given: object): void {
  plain.add(given);
}

// For what the runtime itself calls: a body or a job may return a promise of anybody. Not shown in stacks: it has no line.
const BODY: FunctionSite = sitesOf({
  id: "",
  functions: [["", 0, 0]],
  waits: [[0, 0, "await", "a promise that is not one of meanwhile"]],
}).functions[0] as FunctionSite;

/** Calls a body or a job, and awaits what it returns, so that it can be interrupted there. No checkpoint by itself. */
async function callInFrame<T>(body: () => T | PromiseLike<T>): Promise<T> {
  const frame = enterFrame(BODY);
  try {
    frame.at = 0;
    const value = await bodyWait(frame, body());
    afterWait(frame);
    return value as T;
  } finally {
    exitFrame(frame);
  }
}

function bodyWait(frame: Frame, value: unknown): unknown {
  const promise = promiseOf(frame, value);
  if (promise === null) return value;
  suspendFrame(frame);
  if (frame.home.effective !== null && !isOurs(value)) return waitRefused(frame, value, promise, undefined);
  return isOurs(value) ? promise : watch(frame, promise);
}

/** How such a body or job is called; null for any other function. */
export function callerFor(given: unknown): typeof callInFrame | null {
  return plain.has(given as object) ? callInFrame : null;
}
