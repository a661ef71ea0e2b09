// Keeps the process alive while something waits that Node does not know of.

const { setInterval, clearInterval } = globalThis;

const LONGEST_MS = 2_147_483_647;

let holders = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** Holds the process until the result is disposed. */
export function keepAlive(): Disposable {
  if (holders === 0) timer = setInterval(() => {}, LONGEST_MS);
  holders += 1;
  let held = true;
  return {
    [Symbol.dispose](): void {
      if (!held) return;
      held = false;
      holders -= 1;
      if (holders === 0) clearInterval(timer);
    },
  };
}
