// What the workers of the tests serve.

import { appendFileSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

import { currentSignal, sleepForever, taskGroup } from "meanwhile";
import { isCancelRequested, reportProgress } from "meanwhile/workers";

export function double(value: number): number {
  return value * 2;
}

export function root(value: number): number {
  if (value < 0) throw new RangeError(`no root of ${value}`);
  return Math.sqrt(value);
}

export function echo(value: unknown): unknown {
  return value;
}

/** Writes a line when it begins, and another one when it is asked to end. */
export async function hold(file: string, ms: number): Promise<string> {
  appendFileSync(file, `begun ${process.pid}\n`);
  try {
    await wait(ms, undefined, { signal: currentSignal() });
    return "held";
  } catch (error) {
    appendFileSync(file, "cancelled\n");
    throw error;
  } finally {
    appendFileSync(file, "ended\n");
  }
}

/** Holds for ever, if nobody has been here before. */
export async function holdOnce(file: string): Promise<string> {
  return await hold(file, countLines(file) > 0 ? 1 : 60_000);
}

/** Computes, and looks whether it should go on. */
export function spin(file: string, ms: number): boolean {
  appendFileSync(file, "begun\n");
  const end = performance.now() + ms;
  while (performance.now() < end) if (isCancelRequested()) return false;
  return true;
}

/** Gives the half of it if it is asked to end; all of it at once if somebody has been here before. */
export async function halfOrWhole(file: string): Promise<string> {
  appendFileSync(file, "begun\n");
  if (countLines(file) > 1) return "whole";
  while (!isCancelRequested()) await wait(5);
  return "half";
}

/** Computes for two seconds, and looks at nothing. */
export function stubbornItem(file: string): void {
  stubborn(file, 2_000);
}

/** Computes, and looks at nothing. */
export function stubborn(file: string, ms: number): void {
  appendFileSync(file, "begun\n");
  const end = performance.now() + ms;
  while (performance.now() < end);
  appendFileSync(file, "ended\n");
}

/** Computes for long, and looks at nothing; ends at once if somebody has been here before. */
export function stubbornOnce(file: string): string {
  stubborn(file, countLines(file) > 0 ? 0 : 60_000);
  return "begun twice";
}

class OutOfStockError extends RangeError {
  override readonly name = "OutOfStockError";
  readonly code = "E_STOCK";
  readonly left: Map<string, number>;

  constructor(left: Map<string, number>, options?: ErrorOptions) {
    super("Cannot sell 3 pears: there are 2", options);
    this.left = left;
  }
}

export function sell(): never {
  throw new OutOfStockError(new Map([["pears", 2]]), { cause: new TypeError("the box is broken") });
}

/** Throws an error with a property that every error of a worker has. */
export function blame(worker: string): never {
  throw Object.assign(new Error("it was not me"), { worker });
}

export function throwText(): never {
  // oxlint-disable-next-line typescript/only-throw-error -- that is the point
  throw "just a text";
}

/** Fails until the file has so many lines. */
export function failUntil(file: string, lines: number): number {
  appendFileSync(file, "x\n");
  const count = countLines(file);
  if (count < lines) throw new Error(`attempt ${count}`);
  return count;
}

/** Returns in spite of being asked to end, some time after that. */
export async function lateAnswer(file: string, ms: number): Promise<string> {
  appendFileSync(file, "begun\n");
  await wait(60_000, undefined, { signal: currentSignal() }).catch(() => {});
  await wait(ms);
  return "in spite of it";
}

export function complain(message: string): never {
  throw new Error(message);
}

export function note(file: string, line: string): string {
  appendFileSync(file, `${line}\n`);
  return line;
}

export function countTo(limit: number): number {
  for (let i = 1; i <= limit; i++) reportProgress(i);
  return limit;
}

export function large(bytes: number): string {
  return "x".repeat(bytes);
}

export function die(): never {
  process.exit(7);
}

export const notAFunction = 42;

function countLines(file: string): number {
  return readFileSync(file, "utf8").split("\n").length - 1;
}

/** Waits for ever, in so many tasks. */
export async function holdInTasks(count: number): Promise<void> {
  await taskGroup(async (group) => {
    for (let number = 0; number < count; number++) group.createTask(() => sleepForever(), { name: `holder ${number}` });
  });
}

/** Fails until the file has so many lines, and then waits for ever. */
export async function failThenHold(file: string, lines: number): Promise<void> {
  failUntil(file, lines);
  await holdInTasks(1);
}
