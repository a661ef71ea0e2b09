import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { inspect } from "node:util";

import { cancelScope, gather, gatherSettled, isCancelled, sleep, TaskCancelledError } from "meanwhile";
import { type Job, ProcessPool, WorkerCrashedError } from "meanwhile/workers";

import { JOBS, type Jobs, processes } from "./pools.ts";

describe("ProcessPool", () => {
  it("calls a function in another process and returns its result", async () => {
    await using pool = processes();
    assert.equal(await pool.call("add", 1, 2), 3);
    assert.equal(await pool.call("squareLater", 5), 25);
    assert.notEqual(await pool.call("processId"), process.pid);
    assert.equal(pool.statistics().completed, 3);
  });

  it("passes what can be cloned", async () => {
    await using pool = processes();
    const value = { map: new Map([[1, new Set(["a"])]]), date: new Date(7), bytes: new Uint8Array([1, 2]), big: 5n };
    assert.deepEqual(await pool.call("echo", value), value);
    const numbers = Array.from({ length: 3_000 }, (_, i) => i);
    const squares = numbers.map((n) => n * n);
    assert.deepEqual(await Promise.all(numbers.map((n) => pool.call("square", n))), squares);
    assert.deepEqual(await pool.map("square", numbers).toArray(), squares);
  });

  it("throws what the function throws", async () => {
    await using pool = processes();
    const error = await pool.call("refuse", "no").catch((thrown: unknown) => thrown);
    assert.ok(error instanceof TypeError);
    assert.equal(error.name, "Refusal");
    assert.match(error.stack ?? "", /modules\/jobs\.ts[\s\S]*process-pool\.test\.ts/);
  });

  it("names what is not there, or cannot be sent", async () => {
    await using pool = processes();
    const other = pool as unknown as ProcessPool<{ nothing(): void }>;
    await assert.rejects(() => other.call("nothing"), { code: "MW_ERR_WORKER_UNKNOWN_FUNCTION" });
    const [good, bad] = await Promise.allSettled([pool.call("echo", 1), pool.call("echo", () => {})]);
    assert.equal(good.status, "fulfilled");
    assert.match(String((bad as PromiseRejectedResult).reason), /args\[0\] is a function/);
    await assert.rejects(() => pool.call("uncloneable"), { code: "MW_ERR_WORKER_NOT_CLONEABLE" });
  });

  it("fails the job of a process that is killed or exits, with signal or code, and replaces it", async () => {
    await using pool = processes();
    const killed = await pool.call("killSelf", "SIGKILL").catch((thrown: unknown) => thrown);
    assert.ok(killed instanceof WorkerCrashedError);
    assert.deepEqual([killed.job, killed.exitCode, killed.signal], ["killSelf", null, "SIGKILL"]);
    assert.match(killed.message, /it was ended by SIGKILL/);
    const left = await pool.call("exit", 4).catch((thrown: unknown) => thrown);
    assert.ok(left instanceof WorkerCrashedError);
    assert.equal(left.exitCode, 4);
    const thrown = await pool.call("throwInTimer").catch((error: unknown) => error);
    assert.ok(thrown instanceof WorkerCrashedError && thrown.cause instanceof RangeError);
    assert.match(thrown.message, /"nobody caught it" was thrown/);
    assert.equal(await pool.call("add", 1, 2), 3);
    assert.equal(pool.statistics().crashes, 3);
  });

  it("runs what a dead process had not begun elsewhere, and nothing twice", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "meanwhile-workers-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "notes");
    await using pool = processes();
    await Promise.all(Array.from({ length: 300 }, () => pool.call("echo", 1)));
    const before = Array.from({ length: 10 }, (_, i) => pool.call("note", file, `before ${i}`));
    const deadly = pool.call("noteAndExit", file, "exit").catch((error: unknown) => error);
    const after = Array.from({ length: 10 }, (_, i) => pool.call("note", file, `after ${i}`));
    await Promise.all([...before, ...after]);
    assert.ok((await deadly) instanceof WorkerCrashedError);
    const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
    assert.deepEqual([lines.length, new Set(lines).size], [21, 21]);
  });

  it("cancels: what waits for it, what asks, what has not begun, and what listens to nobody", async () => {
    await using pool = processes({ graceMs: 60_000 });
    const start = (how: "asking" | "waiting" | "deaf", graceMs = 60_000) => pool.start("listen", [how], { graceMs });
    const waiting = start("waiting");
    await untilItRuns(waiting);
    waiting.cancel("enough");
    await assert.rejects(async () => await waiting, TaskCancelledError);
    const asking = start("asking");
    await untilItRuns(asking);
    asking.cancel();
    assert.equal(await asking, "told");
    const deaf = start("deaf", 1);
    await untilItRuns(deaf);
    await cancelScope(async (scope) => {
      const next = pool.call("add", 1, 2);
      await new Promise((resolve) => setImmediate(resolve));
      scope.cancel();
      await assert.rejects(() => next, isCancelled);
    });
    const after = pool.call("add", 1, 2);
    deaf.cancel();
    await assert.rejects(async () => await deaf, TaskCancelledError);
    assert.equal(await after, 3);
  });

  it("tells the progress of a job", async () => {
    await using pool = processes();
    const job = pool.start("report", [[1, 2]]);
    const seen: unknown[] = [];
    for await (const value of job.progress) seen.push(value);
    assert.deepEqual(seen, [1, 2]);
  });

  it("copies what is to be moved", async () => {
    await using pool = processes();
    const filled = await pool.call("fill", new Uint8Array(3), 9);
    assert.deepEqual([...filled], [9, 9, 9]);
  });

  it("fails every call if the module cannot be loaded, or Node not started", async () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const options = { threads: 1, env, execArgv: ["--conditions=@meanwhile/source"] };
    await using broken = new ProcessPool<Jobs>(new URL("./modules/broken.ts", import.meta.url), options);
    await assert.rejects(() => broken.call("add", 1, 2), {
      code: "MW_ERR_WORKER_MODULE",
      message: /broken at the top/,
    });
    await using leaving = new ProcessPool<Jobs>(new URL("./modules/leaves.ts", import.meta.url), options);
    await assert.rejects(() => leaving.call("add", 1, 2), {
      code: "MW_ERR_WORKER_MODULE",
      message: /exited with code 5/,
    });
  });

  it("ends its processes with it: by close, by terminate, and at the end of its block", async () => {
    const closed = processes({ threads: 2 });
    const ids = await gather([() => closed.call("processId"), () => closed.call("processId")]);
    await closed.close();
    const terminated = processes();
    ids.push(await terminated.call("processId"));
    const call = terminated.call("computeForever").catch((error: unknown) => error);
    await terminated.terminate();
    assert.equal(((await call) as { code?: string }).code, "MW_ERR_WORKER_TERMINATED");
    for (const id of new Set(ids)) assert.throws(() => process.kill(id, 0), { code: "ESRCH" });
  });

  it("gets the result of a job that had ended before its process died of an error", async () => {
    await using pool = processes();
    await pool.warmUp();
    const ends = [() => pool.call("manyBytes", 30_000_000), () => pool.call("throwAtOnce")] as const;
    const [large, died] = await gatherSettled(ends);
    assert.equal(large.status === "fulfilled" && large.value.length, 30_000_000);
    assert.ok(died.status === "rejected" && died.reason.cause instanceof RangeError);
  });

  it("is not disturbed by messages of its module, and fails the calls if it cuts itself off", async () => {
    await using pool = processes();
    assert.equal(await pool.call("sendMessage"), "sent");
    await assert.rejects(() => pool.call("disconnect"), { code: "MW_ERR_WORKER_CRASHED", signal: "SIGKILL" });
  });

  it("leaves no process behind that computes when the program exits", async () => {
    const program = `
      import { ProcessPool } from "meanwhile/workers";
      const pool = new ProcessPool(${JSON.stringify(JOBS.href)}, { threads: 1, execArgv: ["--conditions=@meanwhile/source"] });
      console.log(await pool.call("processId"));
      const job = pool.start("listen", ["deaf"]);
      for await (const _ of job.progress) process.exit();
    `;
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const args = ["--conditions=@meanwhile/source", "--input-type=module", `--eval=${program}`];
    const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: import.meta.dirname, env });
    const id = Number(stdout);
    assert.ok(id > 0, stdout);
    for (let turns = 0; isThere(id) && turns < 1_000; turns++) await sleep(5);
    assert.ok(!isThere(id));
  });

  it("shows what it does, and what is wrong with its options", async () => {
    await using pool = processes({ name: "jobs" });
    assert.equal(inspect(pool), "ProcessPool jobs (open, 0 workers, 0 jobs running, 0 queued)");
    assert.throws(() => new ProcessPool<Jobs>(JOBS, { threads: 0 }), { code: "MW_ERR_WORKER_INVALID_ARGUMENT" });
  });
});

function isThere(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
}

async function untilItRuns({ progress }: Job<string>): Promise<void> {
  for await (const _ of progress) return;
}
