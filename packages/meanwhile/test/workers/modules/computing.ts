// Computes without ever waiting for anything, and tells what got a turn meanwhile.

import { parentPort } from "node:worker_threads";

import { checkpoint, run } from "meanwhile";

async function main(): Promise<void> {
  const turns = { timer: false, message: false, immediate: false };
  setTimeout(() => (turns.timer = true), 1);
  setImmediate(() => (turns.immediate = true));
  parentPort?.once("message", () => (turns.message = true));
  parentPort?.postMessage("computing");
  let rounds = 0;
  const end = performance.now() + 20_000;
  while (!(turns.timer && turns.message && turns.immediate) && performance.now() < end) {
    rounds += 1;
    await checkpoint();
  }
  parentPort?.postMessage({ ...turns, hasComputed: rounds > 100 });
}

await run(main);
