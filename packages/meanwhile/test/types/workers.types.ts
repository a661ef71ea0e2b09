import { expectTypeOf } from "expect-type";
import { type Job, type PoolResults, ProcessPool, WorkerPool } from "meanwhile/workers";

interface Module {
  readonly add: (a: number, b: number) => Promise<number>;
  readonly scale: (n: number, factor?: number) => number;
  readonly sum: (...all: number[]) => number;
  readonly now: () => Date;
  readonly version: string;
}

declare const pool: WorkerPool<Module>;
declare const processes: ProcessPool<Module>;

// A call has the types of its function, and what is no function cannot be called.
expectTypeOf(pool.call("add", 1, 2)).toEqualTypeOf<Promise<number>>();
expectTypeOf(processes.call("now")).toEqualTypeOf<Promise<Date>>();
// @ts-expect-error: one argument is missing
void pool.call("add", 1);
// @ts-expect-error: no function
void pool.call("version");

// What is started takes arguments that are read-only too.
const given = [1, 2] as const;
expectTypeOf(pool.start("add", given)).toEqualTypeOf<Job<number>>();
expectTypeOf(processes.start("add", [1, 2])).toEqualTypeOf<Job<number>>();
// @ts-expect-error: one argument is missing
pool.start("add", [1] as const);

// map calls with one item, so one argument must do.
expectTypeOf(pool.map("scale", [1])).toEqualTypeOf<PoolResults<number>>();
expectTypeOf(pool.map("sum", new Set([1]))).toEqualTypeOf<PoolResults<number>>();
// @ts-expect-error: two arguments are needed
pool.map("add", [1]);
// @ts-expect-error: two arguments are needed
processes.map("add", [1]);
// @ts-expect-error: not what it takes
pool.map("scale", ["text"]);

// Of a module whose type is not given everything can be called, and nothing is known of what comes back.
const unknownPool = new WorkerPool(new URL("node:path"));
expectTypeOf(unknownPool.call("basename", "/a/b", 1)).toEqualTypeOf<Promise<unknown>>();
expectTypeOf(unknownPool.start("basename", ["/a/b"])).toEqualTypeOf<Job<unknown>>();
expectTypeOf(new ProcessPool("node:path").map("basename", ["/a/b"])).toEqualTypeOf<PoolResults<unknown>>();
