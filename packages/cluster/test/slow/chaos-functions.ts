// What the workers of the proofs serve. Each call leaves a line when it begins, and one when it ends.

import { appendFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

import { currentSignal } from "meanwhile";

export async function square(file: string, value: number, ms: number): Promise<number> {
  appendFileSync(file, `${value}\n`);
  await wait(ms);
  return value * value;
}

export async function hold(file: string, id: number, ms: number): Promise<void> {
  appendFileSync(file, `${id} begun ${Date.now()}\n`);
  let how = "done";
  try {
    await wait(ms, undefined, { signal: currentSignal() });
  } catch (error) {
    how = "cancelled";
    throw error;
  } finally {
    appendFileSync(file, `${id} ${how} ${Date.now()}\n`);
  }
}
