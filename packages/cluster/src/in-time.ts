// Waits for something, but not for ever. Whoever waits gives up then, and sees to what it has waited for.

import { TimeoutError } from "meanwhile";

const { clearTimeout, setTimeout } = globalThis;

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Whether something ends in time. @throws what it throws in time */
export async function isInTime(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, Math.min(ms, LONGEST_TIMER_MS), false);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The result of something that needs the server.
 *
 * @throws {@link TimeoutError} if it is not there in time
 */
export async function inTime<T>(ms: number, work: Promise<T>): Promise<T> {
  if (await isInTime(ms, work)) return await work;
  throw new TimeoutError(`there was no answer in ${ms} ms`);
}
