// Called by the tests of runSync, in threads.

import { setTimeout as pause } from "node:timers/promises";
import { isMainThread, threadId } from "node:worker_threads";

import { currentTask, fixed, sleep, sleepForever } from "meanwhile";
import { moved, retryingSync, runSync } from "meanwhile/workers";

export const notAFunction = 1;

export async function add(a: number, b: number): Promise<number> {
  await sleep(1);
  return a + b;
}

export function same<T>(value: T): T {
  return value;
}

export function where(): { readonly isMain: boolean; readonly thread: number; readonly task: string } {
  return { isMain: isMainThread, thread: threadId, task: currentTask().name };
}

export function bytes(length: number): Uint8Array {
  return moved(new Uint8Array(length).fill(1));
}

export class OrderError extends RangeError {
  override readonly name = "OrderError";
  readonly code = "E_ORDER";
  readonly order = { id: 7 };
}

export async function fails(): Promise<never> {
  await sleep(0);
  throw new OrderError("no items", { cause: new TypeError("empty") });
}

export function forEver(): Promise<never> {
  return sleepForever();
}

export async function cleansUp(log: Int32Array): Promise<void> {
  try {
    await sleep(60_000);
  } finally {
    await pause(2);
    log[0] = 1;
  }
}

export function spins(): void {
  for (;;);
}

export function exits(code: number): void {
  setTimeout(() => process.exit(code), 1);
}

export async function exitsMeanwhile(code: number): Promise<void> {
  setTimeout(() => process.exit(code), 1);
  await sleep(60_000);
}

export async function throwsInATimer(): Promise<void> {
  setTimeout(() => {
    throw new OrderError("in a timer");
  }, 1);
  await sleep(60_000);
}

export function fillsItsMemory(): number {
  const kept: unknown[] = [];
  for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => ({ index })));
}

export function neverSettles(): Promise<void> {
  return new Promise(() => {});
}

export function givesAFunction(): unknown {
  return { user: { save: () => 1 } };
}

export function nested(module: string, a: number, b: number): unknown {
  return runSync(module, "add", a, b);
}

export function retries(text: string): string {
  let calls = 0;
  const third = (): string => {
    calls += 1;
    if (calls < 3) throw new RangeError("not yet");
    return text;
  };
  return retryingSync(third, { backoff: fixed(1) })();
}

export async function logs(text: string): Promise<void> {
  console.log(text);
  await sleep(1);
  process.stderr.write(`${text} again\n`);
}

export function nestedLists(depth: number): unknown[] {
  let value: unknown[] = [];
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

export function failsWithCauses(count: number): never {
  let error = new Error("first");
  for (let i = 0; i < count; i++) error = Object.assign(new Error(`${i}`, { cause: error }), { code: "E_DEEP" });
  throw error;
}
