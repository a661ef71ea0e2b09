// Calls async functions while it is loaded, and in its initializer.

import { runSync } from "meanwhile/workers";

const FUNCTIONS = new URL("./sync-functions.ts", import.meta.url);

const sums: number[] = [runSync<number>(FUNCTIONS, "add", 1, 2)];

export function setUp(): void {
  sums.push(runSync<number>(FUNCTIONS, "add", 3, 4));
}

export function sumsSoFar(): readonly number[] {
  return sums;
}
