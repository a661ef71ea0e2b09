import { setTimeout as wait } from "node:timers/promises";

import { reportProgress } from "meanwhile/workers";

export function add(a: number, b: number): number {
  return a + b;
}

export async function waitFor(ms: number): Promise<string> {
  reportProgress("begun");
  await wait(ms);
  return "waited";
}
