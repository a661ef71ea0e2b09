// Calls a function for each item of a chunk: what `map` sends.

import { throwIfCancelled } from "../lowlevel.ts";
import type { Callable } from "./known-function.ts";

/**
 * The results in the order of the items. As long as the function returns no promise, nothing is awaited.
 *
 * @param look - called before each item; it throws if the caller was cancelled
 */
export function callEach(call: Callable, items: ArrayLike<unknown>, look: () => void): unknown {
  const results: unknown[] = [];
  for (let i = 0; i < items.length; i++) {
    look();
    const result = call(items[i]);
    if (isThenable(result)) return awaitEach(call, items, results, result);
    results.push(result);
  }
  return packNumbers(results);
}

async function awaitEach(
  call: Callable,
  items: ArrayLike<unknown>,
  results: unknown[],
  first: PromiseLike<unknown>,
): Promise<unknown> {
  results.push(await first);
  for (let i = results.length; i < items.length; i++) {
    throwIfCancelled();
    results.push(await call(items[i]));
  }
  return packNumbers(results);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** Many numbers are sent as bytes, which costs a tenth; each comes back as it was. */
export function packNumbers(values: readonly unknown[]): ArrayLike<unknown> {
  if (values.length < 16) return values;
  for (const value of values) if (typeof value !== "number") return values;
  return Float64Array.from(values as readonly number[]);
}
