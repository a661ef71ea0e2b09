// Called in workers by the examples: a module like any other.

import { checkpoint } from "meanwhile";
import { isCancelRequested, reportProgress } from "meanwhile/workers";

/** Slow on purpose: it only computes. */
export function fibonacci(n: number): number {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

/** How many primes there are below `limit`. Tells how far it is, and ends when its caller no longer waits. */
export function countPrimes(limit: number): number {
  let count = 0;
  for (let n = 2; n < limit; n++) {
    if (isPrime(n)) count += 1;
    if (n % 10_000 !== 0) continue;
    if (isCancelRequested()) return count;
    reportProgress(n / limit);
  }
  return count;
}

/** The same for code that may await: cancellation comes by itself, and timers of the worker get their turn. */
export async function countPrimesPolitely(limit: number): Promise<number> {
  let count = 0;
  for (let n = 2; n < limit; n++) {
    if (isPrime(n)) count += 1;
    if (n % 1_000 === 0) await checkpoint();
  }
  return count;
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}
