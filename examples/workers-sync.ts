// Async functions from code that cannot await, and one function in a thread without a module for it.

import { fixed, run } from "meanwhile";
import { retryingSync, runSync, SyncModule, toThread } from "meanwhile/workers";

// A thread runs the function to its end; this one stands still. For scripts, constructors, callbacks of sync libraries.
const names = runSync<string[]>("node:fs/promises", "readdir", import.meta.dirname);
console.log(names.includes("run.ts") ? "run.ts is there" : "run.ts is missing");

// The same with types, and with options for all calls of a module.
using math = new SyncModule<typeof import("./support/math.ts")>(new URL("./support/math.ts", import.meta.url), {
  timeoutMs: 20_000,
});
console.log(`${runSync(math, "countPrimesPolitely", 10_000)} primes`);

// The same patience as `retrying`, for a function that has to stay sync.
let tries = 0;
const flaky = retryingSync(
  (): string => {
    tries += 1;
    if (tries < 3) throw new Error("busy");
    return "done";
  },
  { backoff: fixed(5) },
);
console.log(`${flaky()} after ${tries} attempts`);

// Inside of `run` nothing may stand still: there the function goes to a thread.
const vowels = await run(() =>
  toThread((text: string) => Array.from(text).filter((letter) => "aeiou".includes(letter)).length, "other cores"),
);
console.log(`${vowels} vowels, counted in another thread`);
