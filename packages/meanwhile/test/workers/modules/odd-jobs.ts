// Jobs that do what no job should.

import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

import { reportProgress } from "meanwhile/workers";

export function echo<T>(value: T): T {
  return value;
}

/** A list in a list in a list. */
export function nest(depth: number): unknown {
  let value: unknown = null;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

export async function reportNested(depth: number): Promise<void> {
  reportProgress(nest(depth));
  await new Promise(() => {});
}

/** Returns, and blocks the event loop for ever soon after. */
export function blockLater(started: Int32Array<SharedArrayBuffer> | null): void {
  setTimeout(() => {
    if (started !== null) {
      Atomics.store(started, 0, 1);
      Atomics.notify(started, 0);
    }
    for (;;);
  });
}

export function computeForever(begun: Int32Array<SharedArrayBuffer>): never {
  Atomics.store(begun, 0, 1);
  Atomics.notify(begun, 0);
  for (;;);
}

export function waitFor(cells: Int32Array<SharedArrayBuffer>): Promise<unknown> {
  const wait = Atomics.waitAsync(cells, 0, 0);
  return Promise.resolve(wait.value);
}

/** As an initializer: the first worker that calls it fails when a second one has called it, which goes on after that. */
export async function failIfFirst(cells: Int32Array<SharedArrayBuffer>): Promise<void> {
  const number = Atomics.add(cells, 0, 1);
  if (number === 0) {
    while (Atomics.load(cells, 0) < 2) await pause(1);
    throw new Error("the first one fails");
  }
  await pause(number === 1 ? 8 : 0);
}

/** Ends, and leaves a process that has the channel to the pool open for a minute. */
export function leaveChannelTo(file: string): never {
  const { pid } = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", "ignore", 3] });
  writeFileSync(file, String(pid));
  process.exit(7);
}

/** As an initializer: the second worker that calls it goes on when the second cell says so. */
export async function delayIfSecond(cells: Int32Array<SharedArrayBuffer>): Promise<void> {
  if (Atomics.add(cells, 0, 1) === 1) await untilSet(cells);
}

/** Counts itself in the first cell, and returns when the second one says so. */
export async function countAndWait(cells: Int32Array<SharedArrayBuffer>): Promise<void> {
  Atomics.add(cells, 0, 1);
  Atomics.notify(cells, 0);
  await untilSet(cells);
}

async function untilSet(cells: Int32Array<SharedArrayBuffer>): Promise<void> {
  while (Atomics.load(cells, 1) === 0) await pause(1);
}
