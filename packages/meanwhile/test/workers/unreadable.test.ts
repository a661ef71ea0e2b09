// Messages that one side can write and the other cannot read: the stack of a thread is four times that of the main thread.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { gather, gatherSettled } from "meanwhile";
import { type Job, WorkerPool } from "meanwhile/workers";

type Jobs = typeof import("./modules/odd-jobs.ts");

const ODD_JOBS = new URL("./modules/odd-jobs.ts", import.meta.url);
/** So deep can a thread write, and not the main thread read. */
const DEPTH = 10_000;

describe("what a thread can write and nobody can read", () => {
  it("fails the call if it is the result, and no other one", async () => {
    await using pool = new WorkerPool<Jobs>(ODD_JOBS, { threads: 1 });
    const [deep, ...others] = await gatherSettled([
      () => pool.call("nest", DEPTH),
      ...[1, 2, 3].map((value) => () => pool.call("echo", value)),
    ]);
    assert.equal(deep?.status, "rejected");
    const { code, message } = deep.reason as { readonly code: string; readonly message: string };
    assert.equal(code, "MW_ERR_WORKER_NOT_CLONEABLE");
    assert.match(message, /"nest".*the result is nested too deep to be read/);
    assert.deepEqual(
      others.map((other) => other.status === "fulfilled" && other.value),
      [1, 2, 3],
    );
    assert.deepEqual(await gather([() => pool.call("echo", "on"), () => pool.call("echo", "and on")]), [
      "on",
      "and on",
    ]);
  });

  it("fails the job if it is its progress", async () => {
    await using pool = new WorkerPool<Jobs>(ODD_JOBS, { threads: 1, graceMs: 5 });
    const job: Job<void> = pool.start("reportNested", [DEPTH]);
    await assert.rejects(async () => await job, { code: "MW_ERR_WORKER_NOT_CLONEABLE" });
    assert.equal(await pool.call("echo", 1), 1);
  });

  it("fails the call if it is an argument", async () => {
    await using pool = new WorkerPool<Jobs>(ODD_JOBS, { threads: 1, resourceLimits: { stackSizeMb: 0.5 } });
    const value = (await import("./modules/odd-jobs.ts")).nest(3_000);
    await assert.rejects(() => pool.call("echo", value), {
      code: "MW_ERR_WORKER_NOT_CLONEABLE",
      message: /the arguments are nested too deep to be read/,
    });
    assert.equal(await pool.call("echo", 1), 1);
  });
});
