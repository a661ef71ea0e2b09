import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { inspect } from "node:util";

import { cancelScope, gather, isCancelled, run } from "meanwhile";
import { WorkerError, WorkerPool } from "meanwhile/workers";

import { cell, JOBS, type Jobs, reached, set, threads } from "./pools.ts";

const BROKEN = new URL("./modules/broken.ts", import.meta.url);
const LEAVES = new URL("./modules/leaves.ts", import.meta.url);

describe("WorkerPool", () => {
  it("calls a function in another thread and returns its result", async () => {
    await using pool = threads();
    assert.equal(await pool.call("add", 1, 2), 3);
    assert.equal(await pool.call("squareLater", 5), 25);
    assert.notEqual(await pool.call("where"), 0);
  });

  it("passes any number of arguments as they are", async () => {
    await using pool = threads();
    for (const args of [[], [1], [1, undefined], [undefined], [1, 2, 3, 4]]) {
      assert.equal(await pool.call("count", ...args), args.length);
    }
    const value = { map: new Map([[1, new Set(["a"])]]), date: new Date(7), bytes: new Uint8Array([1, 2]), big: 5n };
    assert.deepEqual(await pool.call("echo", value), value);
  });

  it("gives each call its own result, however many are made at once", async () => {
    await using pool = threads({ threads: 2 });
    const numbers = Array.from({ length: 5_000 }, (_, i) => i);
    const squares = await Promise.all(numbers.map((number) => pool.call("square", number)));
    assert.deepEqual(
      squares,
      numbers.map((number) => number * number),
    );
    assert.equal(pool.statistics().completed, 5_000);
  });

  it("uses all its threads for jobs that take long", async () => {
    await using pool = threads({ threads: 2 });
    const [started, go] = [cell(), cell()];
    const calls = Array.from({ length: 2 }, () => pool.call("blockUntil", go, started));
    await reached(started, 2);
    set(go);
    assert.deepEqual(await Promise.all(calls), ["unblocked", "unblocked"]);
  });

  it("runs one job at a time in a thread, or as many as asked for", async () => {
    for (const concurrency of [1, 3]) {
      await using pool = threads({ concurrency });
      const [started, go] = [cell(), cell()];
      const calls = Array.from({ length: 4 }, () => pool.call("waitUntil", go, started));
      await reached(started, concurrency);
      assert.equal(Atomics.load(started, 0), concurrency);
      set(go);
      await Promise.all(calls);
      assert.equal(Atomics.load(started, 0), 4);
    }
  });

  it("does not let a job wait behind a long one while another thread has nothing to do", async () => {
    await using pool = threads({ threads: 2 });
    // So quick that many are sent ahead.
    await Promise.all(Array.from({ length: 2_000 }, () => pool.call("blockUntil", new Int32Array(filled(1)))));
    const [started, go] = [cell(), cell()];
    const long = pool.call("blockUntil", go, started);
    await Promise.all(Array.from({ length: 100 }, () => pool.call("blockUntil", new Int32Array(filled(1)))));
    set(go);
    assert.equal(await long, "unblocked");
  });

  it("throws what the function throws, with its class, code, cause and both stacks", async () => {
    await using pool = threads();
    const error = await pool.call("refuse", "no").catch((thrown: unknown) => thrown);
    assert.ok(error instanceof TypeError);
    assert.equal(error.name, "Refusal");
    assert.equal(error.message, "no");
    assert.equal((error as { code?: string }).code, "E_REFUSED");
    assert.deepEqual((error as { detail?: unknown }).detail, { tries: 3 });
    assert.ok(error.cause instanceof RangeError);
    assert.match(error.stack ?? "", /modules\/jobs\.ts[\s\S]*pool\.test\.ts/);
    await assert.rejects(() => pool.call("refuseLater", "later"), RangeError);
  });

  it("names the functions there are if the one called is none of them", async () => {
    await using pool = new WorkerPool<{ nothing(): void }>(JOBS, { threads: 1 });
    await assert.rejects(() => pool.call("nothing"), {
      code: "MW_ERR_WORKER_UNKNOWN_FUNCTION",
      message: /Cannot call "nothing": .*jobs\.ts exports no such function; it exports .*add, /,
    });
    const inherited = pool as unknown as WorkerPool<{ toString(): void }>;
    await assert.rejects(() => inherited.call("toString"), { code: "MW_ERR_WORKER_UNKNOWN_FUNCTION" });
  });

  it("fails every call with the error of a module that cannot be loaded", async () => {
    await using pool = new WorkerPool<typeof import("./modules/broken.ts")>(BROKEN, { threads: 2 });
    const errors = await Promise.all([1, 2, 3].map(() => pool.call("never").catch((error: unknown) => error)));
    for (const error of errors) {
      assert.ok(error instanceof WorkerError);
      assert.equal(error.code, "MW_ERR_WORKER_MODULE");
      assert.ok(error.cause instanceof RangeError);
    }
    await assert.rejects(() => pool.warmUp(), { code: "MW_ERR_WORKER_MODULE" });
    await assert.rejects(() => pool.call("never"), { code: "MW_ERR_WORKER_MODULE" });
  });

  it("fails every call if the module ends its thread while it is loaded", async () => {
    await using pool = new WorkerPool<typeof import("./modules/leaves.ts")>(LEAVES, { threads: 1 });
    await assert.rejects(() => pool.call("never"), { code: "MW_ERR_WORKER_MODULE", message: /exited with code 5/ });
  });

  it("calls the initializer in each thread before the first job", async () => {
    await using pool = threads({ threads: 2, initializer: { name: "setPrefix", args: ["pre-"] } });
    await pool.warmUp();
    assert.deepEqual(await Promise.all([pool.call("withPrefix", "a"), pool.call("withPrefix", "b")]), [
      "pre-a",
      "pre-b",
    ]);
  });

  it("fails if the initializer does, or is not there", async () => {
    await using failing = threads({ initializer: { name: "failToStart" } });
    await assert.rejects(() => failing.call("add", 1, 2), {
      code: "MW_ERR_WORKER_MODULE",
      message: /initializer "failToStart" failed.*: no start today/,
    });
    await using missing = threads({ initializer: { name: "absent" } });
    await assert.rejects(() => missing.call("add", 1, 2), { code: "MW_ERR_WORKER_UNKNOWN_FUNCTION" });
  });

  it("gives the threads the environment that is asked for", async () => {
    await using pool = threads({ env: { COLOUR: "green" } });
    assert.equal(await pool.call("environment", "COLOUR"), "green");
  });

  it("says why a thread cannot be started", async () => {
    await using pool = threads({ execArgv: ["--no-such-option"] });
    await assert.rejects(() => pool.call("add", 1, 2), { code: "MW_ERR_WORKER_MODULE", message: /no-such-option/ });
    await assert.rejects(() => pool.warmUp(), { code: "MW_ERR_WORKER_MODULE" });
  });

  it("starts all threads when it is warmed up, and none before the first call", async () => {
    await using pool = threads({ threads: 2 });
    assert.equal(pool.statistics().threads, 0);
    await pool.warmUp();
    assert.deepEqual([pool.statistics().threads, pool.statistics().idle], [2, 2]);
  });

  it("knows what the module exports as soon as a thread has loaded it", async () => {
    await using pool = threads({ threads: 1 });
    assert.deepEqual(pool.statistics().functions, []);
    await pool.warmUp();
    assert.ok(pool.statistics().functions.includes("add"));
  });

  it("starts no more threads than there are jobs", async () => {
    await using pool = threads({ threads: 4 });
    for (let i = 0; i < 10; i++) await pool.call("add", i, i);
    assert.equal(pool.statistics().threads, 1);
  });

  it("lets calls wait for room in the queue, in order", async () => {
    await using pool = threads({ maxQueued: 2 });
    await pool.warmUp();
    const [started, go] = [cell(), cell()];
    const order: unknown[] = [];
    const long = pool.call("blockUntil", go, started);
    await reached(started, 1);
    const calls = Array.from({ length: 8 }, (_, i) => pool.call("echo", i).then((n) => order.push(n)));
    await new Promise((resolve) => setImmediate(resolve));
    const { queued, waiting } = pool.statistics();
    assert.deepEqual([queued, waiting], [2, 5]); // one more was sent ahead
    set(go);
    await Promise.all([long, ...calls]);
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("cancels a call that waits for room", async () => {
    await using pool = threads({ maxQueued: 1 });
    await pool.warmUp();
    const [started, go] = [cell(), cell()];
    const long = pool.call("blockUntil", go, started);
    await reached(started, 1);
    const others = [pool.call("echo", 1), pool.call("echo", 2)];
    await new Promise((resolve) => setImmediate(resolve));
    await cancelScope(async (scope) => {
      const waiting = pool.call("echo", 3);
      scope.cancel();
      await assert.rejects(() => waiting, isCancelled);
    });
    assert.equal(pool.statistics().waiting, 0);
    set(go);
    await Promise.all([long, ...others]);
  });

  it("replaces a thread after so many jobs", async () => {
    await using pool = threads({ maxJobsPerWorker: 2 });
    const ids: number[] = [];
    for (let i = 0; i < 6; i++) ids.push(await pool.call("where"));
    assert.equal(new Set(ids).size, 3);
    const burst = await Promise.all(Array.from({ length: 7 }, () => pool.call("where")));
    assert.ok(new Set(burst).size >= 4);
    assert.equal(pool.statistics().crashes, 0);
  });

  it("sends threads away that have nothing to do, but the ones that are to stay", async () => {
    await using pool = threads({ threads: 3, minThreads: 1, idleTimeoutMs: 5 });
    await pool.warmUp();
    await pool.call("add", 1, 1);
    while (pool.statistics().threads > 1) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(await pool.call("add", 1, 1), 2);
  });

  it("shows what it does", async () => {
    await using pool = threads({ name: "jobs" });
    assert.equal(inspect(pool), "WorkerPool jobs (open, 0 workers, 0 jobs running, 0 queued)");
    await pool.call("add", 1, 2);
    await pool.call("refuse", "no").catch(() => {});
    const { completed, failed, cancelled } = pool.statistics();
    assert.deepEqual([completed, failed, cancelled], [1, 1, 0]);
  });

  it("says what is wrong with its options", () => {
    const code = "MW_ERR_WORKER_INVALID_ARGUMENT";
    for (const options of [
      { threads: 0 },
      { threads: Infinity },
      { threads: 1.5 },
      { concurrency: 0 },
      { minThreads: -1 },
      { minThreads: 2, threads: 1 },
      { maxQueued: 0 },
      { graceMs: -1 },
      { idleTimeoutMs: Number.NaN },
      { maxJobsPerWorker: 0 },
      { initializer: "setup" as never },
      { name: 5 as never },
    ]) {
      assert.throws(() => new WorkerPool<Jobs>(JOBS, options), { code }, inspect(options));
    }
    assert.throws(() => new WorkerPool<Jobs>("./jobs.ts"), { code, message: /pass a URL, like new URL/ });
    assert.throws(() => new WorkerPool<Jobs>(JOBS, null as never), { code });
  });

  it("takes the module as text too, if it is a URL", async () => {
    await using pool = new WorkerPool<Jobs>(JOBS.href, { threads: 1 });
    assert.equal(await pool.call("add", 2, 2), 4);
  });

  it("keeps what was logged before a result before it", () => {
    const program = `
      import { WorkerPool } from "meanwhile/workers";
      await using pool = new WorkerPool(${JSON.stringify(JOBS.href)}, { threads: 1 });
      for (let i = 0; i < 20; i++) {
        await pool.call("log", "inside " + i);
        console.log("outside " + i);
      }
    `;
    const lines = Array.from({ length: 20 }, (_, i) => [`inside ${i}`, `outside ${i}`]).flat();
    assert.deepEqual(runProgram(program), { status: 0, stdout: `${lines.join("\n")}\n`, stderr: "" });
  });

  it("keeps the order of what its module logs, from the first line on", () => {
    const text = `
      for (let i = 0; i < 3; i++) console.log(i);
      export const begin = () => console.log("begun");
      export const work = () => console.log("worked");
    `;
    const program = `
      import { WorkerPool } from "meanwhile/workers";
      const module = new URL("data:text/javascript,${encodeURIComponent(text)}");
      for (let i = 0; i < 4; i++) {
        await using pool = new WorkerPool(module, { threads: 1, initializer: { name: "begin" } });
        await pool.call("work");
        console.log("called");
      }
    `;
    const stdout = "0\n1\n2\nbegun\nworked\ncalled\n".repeat(4);
    assert.deepEqual(runProgram(program), { status: 0, stdout, stderr: "" });
  });

  it("lets the process end while it is open and idle, and keeps it while a job runs", () => {
    const program = `
      import { WorkerPool } from "meanwhile/workers";
      import { run } from "meanwhile";
      const pool = new WorkerPool(${JSON.stringify(JOBS.href)}, { threads: 2 });
      console.log(await run(() => pool.call("squareLater", 3)));
      console.log(await pool.call("add", 1, 1));
    `;
    assert.deepEqual(runProgram(program), { status: 0, stdout: "9\n2\n", stderr: "" });
  });

  it("is no deadlock for a run that waits for it alone", async () => {
    await using pool = threads();
    assert.deepEqual(
      await run(() => gather([() => pool.call("squareLater", 2), () => pool.call("square", 3)])),
      [4, 9],
    );
  });
});

function filled(value: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(4);
  new Int32Array(memory)[0] = value;
  return memory;
}

function runProgram(program: string): { status: number | null; stdout: string; stderr: string } {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=@meanwhile/source", "--input-type=module-typescript", "--eval", program],
    { encoding: "utf8", cwd: import.meta.dirname, env, timeout: 30_000 },
  );
  return { status, stdout, stderr };
}
