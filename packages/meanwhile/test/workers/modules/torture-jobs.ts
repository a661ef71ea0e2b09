// What the torture of pools calls. Every job notes that it was begun, in a cell of its own.

import { sleep, sleepForever } from "meanwhile";
import { isCancelRequested } from "meanwhile/workers";

type Cells = Int32Array<SharedArrayBuffer>;

function begin(begun: Cells, id: number): void {
  Atomics.add(begun, id, 1);
}

export function quick(begun: Cells, id: number): number {
  begin(begun, id);
  return id;
}

export async function slow(begun: Cells, id: number): Promise<number> {
  begin(begun, id);
  await sleep(id % 4);
  return id;
}

export function failing(begun: Cells, id: number): never {
  begin(begun, id);
  throw new RangeError(`job ${id}`);
}

export async function waiting(begun: Cells, id: number): Promise<never> {
  begin(begun, id);
  return sleepForever();
}

/** Computes until it is told to end. */
export function computing(begun: Cells, id: number): number {
  begin(begun, id);
  while (!isCancelRequested());
  return id;
}

/** Does not care. */
export function stubborn(begun: Cells, id: number): never {
  begin(begun, id);
  for (;;);
}

export function exiting(begun: Cells, id: number): void {
  begin(begun, id);
  process.exit(7);
}

/** Not to be cancelled: its timer would hit the next job. */
export function throwing(begun: Cells, id: number): Promise<never> {
  begin(begun, id);
  setTimeout(() => {
    throw new RangeError("nobody catches it");
  }, 0);
  return new Promise(() => {});
}

/** For `map`: whether a number is odd. */
export function isOdd(n: number): boolean {
  return n % 2 === 1;
}
