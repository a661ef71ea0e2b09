// What the workers of the cluster rows run.

import { setTimeout as wait } from "node:timers/promises";

/** The least a job can do. */
export function increment(value: number): number {
  return value + 1;
}

/** Waits, as for a database. */
export async function pause(ms: number): Promise<number> {
  await wait(ms);
  return ms + 1;
}
