// Workers that no longer answer, or that may not go on.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { gather, moveOnAfter } from "meanwhile";
import { ProcessPool, WorkerPool } from "meanwhile/workers";

import { allowWarnings } from "../../../../tools/test-setup.ts";
import { cell, JOBS, reached } from "./pools.ts";

type Jobs = typeof import("./modules/odd-jobs.ts");

const ODD_JOBS = new URL("./modules/odd-jobs.ts", import.meta.url);

describe("a worker whose event loop is blocked by what a job has left", () => {
  it("does not keep the pool from closing, though it holds jobs that were taken back", async () => {
    const pool = new WorkerPool<Jobs>(ODD_JOBS, { threads: 1, graceMs: 5 });
    const blocked = cell();
    await pool.call("blockLater", blocked);
    await reached(blocked, 1);
    await moveOnAfter(5, () => pool.call("echo", 1));
    await pool.close({ timeoutMs: 5 });
    assert.equal(pool.statistics().threads, 0);
  });

  it("does not keep the block from ending, though another worker has run its jobs", async () => {
    {
      await using pool = new WorkerPool<Jobs>(ODD_JOBS, { threads: 2, graceMs: 5 });
      await pool.warmUp();
      const blocked = cell();
      await pool.call("blockLater", blocked);
      await reached(blocked, 1);
      const calls = [1, 2, 3, 4, 5, 6].map((value) => () => pool.call("echo", value));
      assert.deepEqual(await gather(calls), [1, 2, 3, 4, 5, 6]);
    }
  });
});

describe("a worker that says nothing more", () => {
  it("is replaced when a job that it has not begun was cancelled, and its time to answer is over", async () => {
    await using pool = new WorkerPool<Jobs>(ODD_JOBS, { threads: 1, graceMs: 5 });
    const blocked = cell();
    await pool.call("blockLater", blocked);
    await reached(blocked, 1);
    await moveOnAfter(5, () => pool.call("echo", 1));
    assert.equal(await pool.call("echo", 2), 2);
    assert.equal(pool.statistics().crashes, 1);
  });
});

describe("a process whose own child holds its channel", () => {
  it("is over soon after it has ended", { skip: process.platform === "win32" }, async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "meanwhile-"));
    const file = join(folder.path, "id");
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const options = { threads: 1, env, execArgv: ["--conditions=@meanwhile/source"] };
    await using pool = new ProcessPool<Jobs>(ODD_JOBS, options);
    await assert.rejects(() => pool.call("leaveChannelTo", file), { code: "MW_ERR_WORKER_CRASHED", exitCode: 7 });
    // It is there still, so nobody has waited for it.
    process.kill(Number(await readFile(file, "utf8")), "SIGKILL");
  });
});

describe("a pool that is terminated", () => {
  it("fails a job that is taken back meanwhile", async () => {
    for (let round = 0; round < 3; round++) {
      const pool = new WorkerPool<Jobs>(ODD_JOBS, { threads: 1, graceMs: 1 });
      await pool.warmUp();
      const begun = cell();
      const long = pool.start("computeForever", [begun]);
      const next = pool.start("echo", [1]);
      const ends = Promise.allSettled([long, next]);
      await reached(begun, 1);
      long.cancel();
      await pool.terminate();
      const [, { status, reason }] = (await ends) as [unknown, PromiseRejectedResult];
      assert.equal(status, "rejected");
      assert.equal((reason as { code: string }).code, "MW_ERR_WORKER_TERMINATED");
    }
  });
});

describe("a worker that has run as many jobs as it may", () => {
  it("is replaced while one of them still runs, if there may be another thread", async () => {
    await using pool = new WorkerPool<Jobs>(ODD_JOBS, { threads: 2, concurrency: 2, maxJobsPerWorker: 2 });
    const cells = cell();
    const long = pool.start("waitFor", [cells]);
    await pool.call("echo", 1);
    assert.equal(await pool.call("echo", 2), 2);
    Atomics.notify(cells, 0);
    assert.equal(await long, "ok");
  });
});

describe("a worker that starts later than the others", () => {
  it("takes what they have been sent and cannot run yet", async () => {
    const [starts, jobs] = [twoCells(), twoCells()];
    await using pool = new WorkerPool<Jobs>(ODD_JOBS, {
      threads: 2,
      concurrency: 2,
      initializer: { name: "delayIfSecond", args: [starts] },
    });
    const calls = Promise.all([1, 2, 3, 4].map(() => pool.call("countAndWait", jobs)));
    await reached(jobs, 2);
    Atomics.store(starts, 1, 1);
    await reached(jobs, 4);
    Atomics.store(jobs, 1, 1);
    await calls;
  });
});

describe("a worker that cannot be started", () => {
  it("fails no job if another one is being started that can", async () => {
    await using _ = allowWarnings("MW_WARN_WORKER_START");
    const cells = new Int32Array(new SharedArrayBuffer(8));
    await using pool = new WorkerPool<Jobs>(ODD_JOBS, {
      threads: 2,
      initializer: { name: "failIfFirst", args: [cells] },
    });
    assert.deepEqual(await gather([1, 2, 3].map((value) => () => pool.call("echo", value))), [1, 2, 3]);
  });
});

describe("a process that computes", () => {
  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    it(`ends when its parent dies by ${signal}`, { skip: process.platform === "win32" }, async () => {
      const program = `
        import { ProcessPool } from "meanwhile/workers";
        const pool = new ProcessPool(${JSON.stringify(JOBS.href)}, { threads: 1 });
        console.log(await pool.call("processId"));
        await pool.call("computeForever");
      `;
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const args = ["--conditions=@meanwhile/source", "--input-type=module", "-e", program];
      const parent = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
      const [line] = (await once(parent.stdout, "data")) as [Buffer];
      parent.kill(signal);
      await once(parent, "exit");
      await untilGone(Number(line.toString()));
    });
  }
});

function twoCells(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(8));
}

/** Waits until no process has this id; one that nobody has waited for yet counts as gone. */
async function untilGone(id: number): Promise<void> {
  for (let looks = 0; looks < 1_000; looks++) {
    const state = await readFile(`/proc/${id}/stat`, "utf8").catch(() => ") Z");
    if (/\) Z/.test(state)) return;
    await new Promise((resolve) => void setTimeout(resolve, 5));
  }
  process.kill(id, "SIGKILL");
  assert.fail(`process ${id} has outlived its parent`);
}
