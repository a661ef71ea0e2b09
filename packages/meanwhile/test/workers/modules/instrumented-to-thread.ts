// Run by a test, instrumented.

import { run } from "meanwhile";
import { toThread } from "meanwhile/workers";

async function work(numbers: readonly number[]): Promise<string> {
  const sums: number[] = [];
  let state = "open";
  {
    await using _resource = { [Symbol.asyncDispose]: async () => void (state = "closed") };
    async function* later(): AsyncGenerator<number> {
      yield* numbers;
    }
    for await (const number of later()) sums.push(number * 2);
    await Promise.resolve();
    try {
      await Promise.reject(new Error("caught"));
    } catch {
      sums.forEach((sum, index) => (sums[index] = sum + 1));
    }
  }
  const { inspect } = await import("node:util");
  return `${inspect(sums)} ${state}`;
}

console.log(await run(() => toThread(work, [1, 2, 3])));
