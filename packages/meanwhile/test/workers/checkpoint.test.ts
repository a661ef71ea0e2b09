import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";

describe("checkpoint in a loop that computes in a worker", () => {
  it("lets timers, messages and immediates of the worker in", async () => {
    const worker = new Worker(new URL("./modules/computing.ts", import.meta.url));
    assert.deepEqual(await once(worker, "message"), ["computing"]);
    worker.postMessage("from outside");
    const [turns] = await once(worker, "message");
    assert.deepEqual(turns, { timer: true, message: true, immediate: true, hasComputed: true });
    await once(worker, "exit");
  });
});
