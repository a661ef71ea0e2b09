// Tells whether code in a worker thread is instrumented.

import { parentPort } from "node:worker_threads";

async function waits(promise: Promise<void>): Promise<void> {
  await promise;
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of a worker has none
parentPort?.postMessage(`instrumented in the worker: ${waits.toString().includes("__mw")}`);
