// What the workers of the rows `workers-…` are asked to do.

/** As little as a call can do. */
export function increment(n: number): number {
  return n + 1;
}

/** The same for many at once: what a caller writes whose pool makes no chunks. */
export function incrementAll(numbers: readonly number[]): number[] {
  return numbers.map(increment);
}

/** A part of the numbers. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** How many primes there are in the range: nothing but computing, and no memory. */
export function countPrimes({ from, to }: Range): number {
  let count = 0;
  for (let n = Math.max(from, 2); n < to; n++) if (isPrime(n)) count += 1;
  return count;
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}
