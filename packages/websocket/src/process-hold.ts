// An open connection keeps the process alive, as every socket that is read does. One that is not read, as messages wait to be
// received, would not: Node does not count it.

import { inRootContext } from "./root-context.ts";

const { setInterval } = globalThis;
const LONGEST_TIMER_MS = 2_147_483_647;

let holders = 0;
let timer: ReturnType<typeof setInterval> | null = null;

/** Keeps the process alive until {@link release}. */
export function hold(): void {
  holders += 1;
  if (holders > 1) return;
  timer ??= inRootContext(() => setInterval(nothing, LONGEST_TIMER_MS));
  timer.ref();
}

/** Takes back one {@link hold}. */
export function release(): void {
  holders -= 1;
  if (holders === 0) timer?.unref();
}

function nothing(): void {}
