import { cancellable, cancelScope, Condition, createTask, Event, moveOnAfter, timeout } from "meanwhile";

import { never, turns } from "./foreign.ts";

async function inner(): Promise<void> {
  await turns(1);
  throw new RangeError("three functions deep");
}

async function middle(): Promise<void> {
  await turns(0);
  await inner();
}

async function outer(): Promise<void> {
  await middle();
}

async function foreignError(): Promise<void> {
  await Promise.all([turns(0), inner()]);
}

/** The errors of two ways to fail. */
export async function failures(): Promise<Error[]> {
  const errors: Error[] = [];
  for (const fails of [outer, foreignError]) {
    try {
      await fails();
    } catch (error) {
      errors.push(error as Error);
    }
  }
  return errors;
}

async function waitsForEver(): Promise<void> {
  await never();
}

export async function callsWhoWaits(): Promise<void> {
  await waitsForEver();
}

/** The error of a cancellation. */
export async function cancellation(): Promise<Error | undefined> {
  const errors: Error[] = [];
  await cancelScope(async (scope) => {
    setImmediate(() => scope.cancel());
    try {
      await callsWhoWaits();
    } catch (error) {
      errors.push(error as Error);
      throw error;
    }
  });
  return errors[0];
}

/** The error of a deadline. */
export async function deadline(): Promise<Error | undefined> {
  try {
    await timeout(1, callsWhoWaits);
  } catch (error) {
    return error as Error;
  }
  await moveOnAfter(1, callsWhoWaits);
  return undefined;
}

/** Uses up the turn, so that what is called next gives way before it waits. */
function compute(): void {
  const end = performance.now() + 20;
  while (performance.now() < end);
}

async function untilSet(): Promise<void> {
  compute();
  await new Event().wait();
}

async function forPromise(): Promise<void> {
  compute();
  await cancellable(new Promise(() => {}));
}

async function forFunction(): Promise<void> {
  compute();
  await cancellable(
    (signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  );
}

async function untilNotified(): Promise<void> {
  const changed = new Condition();
  using _ = await changed.acquire();
  let looks = 0;
  const notifier = createTask(async () => {
    using _lock = await changed.acquire();
    changed.notify();
  });
  await changed.waitFor(() => (looks += 1) > 2);
  await notifier;
}

/** Those who wait after they have given way. */
export const lateWaits: ReadonlyArray<() => Promise<void>> = [untilSet, forPromise, forFunction, untilNotified];

/** Has ended when the wait that it has begun really begins. */
export async function leavesWaitBehind(): Promise<void> {
  await turns(0);
  compute();
  void new Event().wait().catch(() => {});
}
