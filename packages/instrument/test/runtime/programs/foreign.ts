// What programs use that was not written for meanwhile. None of it is instrumented.
// meanwhile:off file

/** Tells the test what has happened. */
export type Log = (line: string) => void;

/** A promise that nobody settles. */
export function never(): Promise<never> {
  return new Promise<never>(() => {});
}

/** Takes some turns of the event loop. */
export function turns(count: number): Promise<void> {
  return new Promise<void>((resolve) => {
    const next = (left: number): void => {
      if (left === 0) resolve();
      else setImmediate(next, left - 1);
    };
    next(count);
  });
}

/** Like `Promise.all`, written by hand: one after the other is looked at, and all errors are collected. */
export async function settleInOrder(promises: ReadonlyArray<Promise<unknown>>): Promise<unknown[]> {
  const values: unknown[] = [];
  const errors: unknown[] = [];
  for (const promise of promises) {
    try {
      values.push(await promise);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, "some failed");
  return values;
}

/** Calls back in a later turn and gives what the callback does. */
export function callLater<T>(callback: () => T | PromiseLike<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    setImmediate(() => {
      Promise.try(callback).then(resolve, reject);
    });
  });
}

const registered: Array<() => Promise<unknown>> = [];

/** Takes a function for later. */
export function register(callback: () => Promise<unknown>): void {
  registered.push(callback);
}

/** Calls all that was registered, in a later turn. */
export async function callRegistered(): Promise<unknown[]> {
  await turns(1);
  return await Promise.all(registered.map((callback) => callback()));
}

/** Waits a turn of its own before it calls. */
export async function afterTurn<T>(callback: () => T | PromiseLike<T>): Promise<T> {
  await turns(1);
  return await callback();
}

/** What is thrown, for logs. */
export function nameOf(error: unknown): string {
  if (error instanceof AggregateError) return `AggregateError(${error.errors.map(nameOf).join(", ")})`;
  return error instanceof Error ? error.name : String(error);
}

/** A generator that waits for ever at last. */
export async function* foreignNumbers(log: Log, count: number): AsyncGenerator<number, void> {
  try {
    for (let number = 1; number <= count; number += 1) {
      await turns(0);
      yield number;
    }
    await never();
  } finally {
    log("not reached: it is stuck");
  }
}
