// Pools under random schedules of calls, cancellations and crashes; and cancelled at every checkpoint of a program with workers.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { CancelledError, gather, isCancelled, moveOnAfter, run, sleep, TaskCancelledError } from "meanwhile";
import { torture } from "meanwhile/testing";
import { type PoolStatistics, WorkerCrashedError, WorkerError, WorkerPool } from "meanwhile/workers";

import { allowWarnings } from "../../../../tools/test-setup.ts";
import { noteFigure, scaled } from "../proofs/figures.ts";

type Jobs = typeof import("../workers/modules/torture-jobs.ts");

const JOBS = new URL("../workers/modules/torture-jobs.ts", import.meta.url);
const SCHEDULES = 10_000;
/** So many schedules share a pool, and go on at once in groups of ten. */
const PER_POOL = 100;
const AT_ONCE = 10;
const JOBS_EACH = 6;

/** Numbers in [0, 1), the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

type JobName = Exclude<keyof Jobs, "isOdd">;

const WEIGHTS: Readonly<Record<JobName, number>> = {
  quick: 40,
  slow: 30,
  failing: 12,
  waiting: 8,
  computing: 6,
  stubborn: 1,
  exiting: 1,
  throwing: 1,
};

/** Those that only end because they are cancelled. */
const ENDLESS: ReadonlySet<JobName> = new Set<JobName>(["waiting", "computing", "stubborn"]);
const DEADLY: ReadonlySet<JobName> = new Set<JobName>(["exiting", "throwing"]);

function draw(random: () => number): JobName {
  let left = random() * Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0);
  for (const [name, weight] of Object.entries(WEIGHTS)) {
    left -= weight;
    if (left < 0) return name as JobName;
  }
  return "quick";
}

/** Counts how each job ended, and checks that it may end so. */
class Ledger {
  readonly begun = new Int32Array(new SharedArrayBuffer(4 * (PER_POOL + 1) * JOBS_EACH));
  readonly ends: Record<string, number> = {};
  /** Whether a worker runs several jobs at once, so that it takes others with it when it dies. */
  readonly isShared: boolean;
  /** Whether the pool is being closed, or soon will be. */
  isClosing = false;
  open = 0;

  constructor(isShared: boolean) {
    this.isShared = isShared;
  }

  async watch(name: JobName, id: number, call: () => Promise<unknown>): Promise<void> {
    this.open += 1;
    try {
      const value = await call();
      assert.ok(value === id || value === undefined, `${name} ${id} gives ${String(value)}`);
      this.#note(value === undefined ? "left" : "returned");
    } catch (error) {
      this.#note(this.#endOf(name, error));
      if (isCancelled(error)) throw error;
    } finally {
      this.open -= 1;
    }
  }

  #note(end: string): void {
    this.ends[end] = (this.ends[end] ?? 0) + 1;
  }

  #endOf(name: JobName, error: unknown): string {
    if (error instanceof CancelledError) return "cancelled";
    if (error instanceof RangeError && name === "failing") return "failed";
    if (error instanceof WorkerCrashedError && (this.isShared || DEADLY.has(name))) return "crashed";
    const code = error instanceof WorkerError ? error.code : "";
    if (this.isClosing && error instanceof TaskCancelledError) return "closed";
    // The grace of one job is over: its worker ends, with what else it runs.
    if (code === "MW_ERR_WORKER_TERMINATED" && (this.isShared || ENDLESS.has(name))) return "terminated";
    if (this.isClosing && (code === "MW_ERR_WORKER_CLOSED" || code === "MW_ERR_WORKER_TERMINATED")) return "closed";
    throw error;
  }

  check(): void {
    assert.equal(this.open, 0, "calls that never ended");
    assert.ok(
      this.begun.every((times) => times <= 1),
      "a job was begun twice",
    );
  }
}

/** A few jobs, each cancelled after a moment or not, all of them cancelled together or not. */
async function schedule(pool: WorkerPool<Jobs>, ledger: Ledger, number: number, random: () => number): Promise<void> {
  const all = random() < 0.2 ? random() * 8 : Infinity;
  const jobs = Array.from({ length: 1 + Math.floor(random() * (JOBS_EACH - 1)) }, (_, index) => {
    const name = draw(random);
    const id = number * JOBS_EACH + index;
    const limitMs = ENDLESS.has(name) || random() < 0.15 ? random() * 8 : Infinity;
    const startMs = random() < 0.3 ? random() * 3 : 0;
    return async (): Promise<void> => {
      if (startMs > 0) await sleep(startMs);
      await ledger.watch(name, id, () => moveOnAfter(limitMs, () => pool.call(name, ledger.begun, id)));
    };
  });
  const mapped = random() < 0.1 ? [(): Promise<void> => mapSome(pool, ledger, random)] : [];
  await moveOnAfter(all, () => gather([...jobs, ...mapped]));
}

/** Maps over a list without end, and leaves it. */
async function mapSome(pool: WorkerPool<Jobs>, ledger: Ledger, random: () => number): Promise<void> {
  function* numbers(): Generator<number> {
    for (let n = 0; ; n++) yield n;
  }
  let left = 1 + Math.floor(random() * 200);
  let next = 0;
  try {
    for await (const odd of pool.map("isOdd", numbers())) {
      assert.equal(odd, next % 2 === 1);
      next += 1;
      left -= 1;
      if (left === 0) break;
    }
  } catch (error) {
    // A crash of the worker takes the items it ran; other schedules share the pool.
    const isClosed = ledger.isClosing && error instanceof TaskCancelledError;
    if (!isClosed && !(error instanceof WorkerError)) throw error;
  }
}

/** Schedules in a pool of their own, and its end: in order, by leaving its block, or by force, while something may run. */
async function group(seed: number): Promise<{ readonly ledger: Ledger; readonly statistics: PoolStatistics }> {
  const random = randomFrom(seed);
  const concurrency = random() < 0.7 ? 1 : 4;
  const options = { threads: 1 + Math.floor(random() * 3), concurrency, graceMs: 10 };
  const pool = new WorkerPool<Jobs>(JOBS, options);
  const ledger = new Ledger(concurrency > 1);
  await run(async () => {
    for (let number = 0; number < PER_POOL; number += AT_ONCE) {
      await gather(Array.from({ length: AT_ONCE }, (_, index) => () => schedule(pool, ledger, number + index, random)));
    }
    ledger.isClosing = true;
    const last = schedule(pool, ledger, PER_POOL, random);
    const end = random();
    if (end < 0.4) await pool.close({ timeoutMs: 50 });
    else if (end < 0.8) await pool[Symbol.asyncDispose]();
    else await pool.terminate();
    await last;
  });
  ledger.check();
  return { ledger, statistics: pool.statistics() };
}

/** The threads of this process, as Node lists them. */
function threadCount(): number {
  const { workers } = process.report.getReport() as unknown as { readonly workers: readonly unknown[] };
  return workers.length;
}

async function untilThreadsEnd(): Promise<void> {
  for (let looks = 0; threadCount() > 0 && looks < 1_000; looks++) await pause(5);
  assert.equal(threadCount(), 0, "threads that are left");
}

describe("a pool under random calls, cancellations and crashes", () => {
  it("leaves no thread, no pending call, and begins no job twice", async () => {
    // Of several calls that a closing pool or a dying worker has ended, one is thrown and the others are reported.
    await using _ = allowWarnings("MW_WARN_SUPPRESSED");
    const started = performance.now();
    const groups = Math.ceil(scaled(SCHEDULES) / PER_POOL);
    const ends: Record<string, number> = {};
    let crashes = 0;
    for (let seed = 1; seed <= groups; seed++) {
      try {
        const { ledger, statistics } = await group(seed);
        const { threads, waiting, queued, running } = statistics;
        assert.deepEqual({ threads, waiting, queued, running }, { threads: 0, waiting: 0, queued: 0, running: 0 });
        for (const [end, count] of Object.entries(ledger.ends)) ends[end] = (ends[end] ?? 0) + count;
        crashes += statistics.crashes;
      } catch (error) {
        throw new Error(`Seed ${seed} fails`, { cause: error });
      }
    }
    await untilThreadsEnd();
    for (const end of ["returned", "left", "failed"])
      assert.ok((ends[end] ?? 0) > 0, `no job ${end}: ${JSON.stringify(ends)}`);
    const note = `${crashes} crashes; ${Object.entries(ends)
      .map(([end, count]) => `${count} ${end}`)
      .join(", ")}`;
    noteFigure("workers under random schedules", {
      count: groups * PER_POOL,
      unit: "schedules",
      ms: performance.now() - started,
      note,
    });
  });
});

describe("a program with workers under it", () => {
  it("can be cancelled at each of its checkpoints", async () => {
    const started = performance.now();
    const begun = new Int32Array(new SharedArrayBuffer(4 * 100));
    await using pool = new WorkerPool<Jobs>(JOBS, { threads: 2, graceMs: 1_000 });
    await pool.warmUp();
    const report = await torture(async () => {
      const first = await pool.call("quick", begun, 1);
      const both = await gather([() => pool.call("slow", begun, 2), () => pool.call("slow", begun, 3)]);
      const late = await moveOnAfter(60_000, () => pool.call("slow", begun, 5));
      return [first, ...both, late];
    });
    assert.ok(report.runs > 5);
    assert.deepEqual(pool.statistics().running + pool.statistics().queued, 0);
    noteFigure("workers cancelled at every checkpoint", {
      count: report.runs,
      unit: "runs",
      ms: performance.now() - started,
    });
  });
});
