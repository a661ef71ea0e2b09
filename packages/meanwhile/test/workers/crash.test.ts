import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";

import { run } from "meanwhile";
import { toThread, WorkerCrashedError, WorkerPool } from "meanwhile/workers";

import { cell, reached, set, threads } from "./pools.ts";

function fileFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "meanwhile-workers-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "notes");
}

function linesOf(file: string): string[] {
  return readFileSync(file, "utf8").split("\n").slice(0, -1);
}

describe("a thread that dies", () => {
  it("fails its job with the exit code, and is replaced", async () => {
    await using pool = threads();
    const error = await pool.call("exit", 3).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof WorkerCrashedError);
    assert.equal(error.code, "MW_ERR_WORKER_CRASHED");
    assert.deepEqual([error.job, error.exitCode, error.signal], ["exit", 3, null]);
    assert.equal(error.message, 'Cannot finish "exit": its worker died while it ran: it exited with code 3');
    assert.match(error.stack ?? "", /crash\.test\.ts/);
    assert.equal(await pool.call("add", 1, 2), 3);
    assert.equal(pool.statistics().crashes, 1);
  });

  it("tells what was thrown that nobody caught: in a timer, or as a rejection", async () => {
    await using pool = threads();
    for (const name of ["throwInTimer", "rejectAside"] as const) {
      const error = await pool.call(name).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof WorkerCrashedError);
      assert.ok(error.cause instanceof RangeError);
      assert.match(error.message, /"nobody caught it" was thrown and caught by nobody/);
    }
  });

  it("tells of a background task of the job that failed", async () => {
    await using pool = threads();
    const error = await pool.call("failInBackground").catch((thrown: unknown) => thrown);
    assert.ok(error instanceof WorkerCrashedError);
    assert.match((error.cause as Error).message, /in the background/);
  });

  it("tells that it has run out of memory", async () => {
    await using pool = threads({ resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 } });
    await assert.rejects(() => pool.call("fillMemory"), {
      code: "MW_ERR_WORKER_CRASHED",
      message: /ran out of memory/,
    });
    assert.equal(await pool.call("add", 1, 2), 3);
  });

  it("fails only the job it ran: those that wait in it run elsewhere, once", async (t) => {
    const file = fileFor(t);
    await using pool = threads();
    await Promise.all(Array.from({ length: 500 }, () => pool.call("echo", 1))); // so quick that many are sent ahead
    const before = Array.from({ length: 20 }, (_, i) => pool.call("note", file, `before ${i}`));
    const deadly = pool.call("noteAndExit", file, "exit").catch((error: unknown) => error);
    const after = Array.from({ length: 20 }, (_, i) => pool.call("note", file, `after ${i}`));
    const outcomes = await Promise.allSettled([...before, ...after]);
    assert.ok((await deadly) instanceof WorkerCrashedError);
    assert.deepEqual(
      outcomes.filter(({ status }) => status === "rejected"),
      [],
    );
    const lines = linesOf(file);
    assert.deepEqual([lines.length, new Set(lines).size], [41, 41]);
  });

  it("leaves the jobs of other threads alone", async () => {
    await using pool = threads({ threads: 2 });
    const [started, go] = [cell(), cell()];
    const neighbour = pool.call("blockUntil", go, started);
    await reached(started, 1);
    await assert.rejects(() => pool.call("exit", 1), WorkerCrashedError);
    set(go);
    assert.equal(await neighbour, "unblocked");
  });

  it("fails all jobs it ran at once", async () => {
    await using pool = threads({ concurrency: 2 });
    const started = cell();
    const neighbour = pool.call("waitForever", started).catch((error: unknown) => error);
    await reached(started, 1);
    await assert.rejects(() => pool.call("exit", 1), WorkerCrashedError);
    assert.ok((await neighbour) instanceof WorkerCrashedError);
  });

  it("blames no job that only waited behind those it died of", async () => {
    await using pool = threads();
    for (let i = 1; i <= 10; i++) await pool.call("dieAtZero", i); // known as quick: many are sent ahead
    const deaths = Array.from({ length: 6 }, () => pool.call("dieAtZero", 0).catch((error: unknown) => error));
    assert.equal(await pool.call("dieAtZero", 7), 7);
    for (const death of await Promise.all(deaths))
      assert.match(String(death), /died while it ran: it exited with code 0$/);
  });

  it("lets an idempotent job run again, three times more at most", async (t) => {
    const file = fileFor(t);
    await using pool = threads();
    const tries = new SharedArrayBuffer(4);
    assert.equal(await pool.start("dieUntil", [file, tries, 3], { isIdempotent: true }), 3);
    assert.equal(linesOf(file).length, 3);
    const hopeless = pool.start("exit", [2], { isIdempotent: true });
    await assert.rejects(async () => await hopeless, {
      code: "MW_ERR_WORKER_CRASHED",
      message: /it was tried 4 times/,
    });
    await assert.rejects(async () => await pool.start("dieUntil", [file, new SharedArrayBuffer(4), 2]), {
      code: "MW_ERR_WORKER_CRASHED",
    });
    assert.equal(linesOf(file).length, 4);
  });

  it("is told of within a second, whatever it was doing", async () => {
    await using pool = threads({ threads: 2 });
    await pool.warmUp();
    for (const kill of [() => pool.call("exit", 1), () => pool.call("throwInTimer")]) {
      const before = performance.now();
      await assert.rejects(kill, WorkerCrashedError);
      assert.ok(performance.now() - before < 1_000);
    }
  });

  it("takes nothing with it that was returned before", async () => {
    await using pool = threads();
    const numbers = Array.from({ length: 50 }, (_, i) => i + 1);
    for (let i = 0; i < 3; i++) await Promise.all(numbers.map((n) => pool.call("dieAtZero", n)));
    const values = numbers.map((n) => pool.call("dieAtZero", n));
    const deadly = pool.call("dieAtZero", 0).catch((error: unknown) => error);
    assert.deepEqual(await Promise.all(values), numbers);
    assert.ok((await deadly) instanceof WorkerCrashedError);
  });

  it("by a variable that a function of toThread does not have names that variable", async () => {
    const far = "away";
    const late = (): Promise<string> => new Promise((resolve) => void setTimeout(() => resolve(far), 1));
    await assert.rejects(
      run(() => toThread(late)),
      { code: "MW_ERR_WORKER_CAPTURED", message: /Cannot run "late" in a thread: it uses "far"/ },
    );
  });

  it("while it loads its module fails the calls", async () => {
    const module = new URL("data:text/javascript,process.exit(5); export const never = 1;");
    const pool = new WorkerPool<Record<string, () => void>>(module, { threads: 1 });
    const call = pool.call("never").catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));
    await pool.close();
    assert.equal(((await call) as { code?: string }).code, "MW_ERR_WORKER_MODULE");
  });
});
