// A function mapped over 500 000 numbers: what chunks save.

import type { WorkerPool } from "meanwhile/workers";

import { check, microsecondsEach } from "../harness/measuring.ts";
import { JOBS, type OpenPool, piscina, pythonPeers, WORKERS } from "../harness/pools.ts";
import type { Measured, Row } from "../harness/row.ts";

const NUMBERS = 500_000;
const SUM = (NUMBERS * (NUMBERS + 1)) / 2;
const CHUNK = 5_000;

type Pool = WorkerPool<typeof import("../harness/jobs.ts")>;

const ours = (sumOf: (pool: Pool, numbers: readonly number[]) => Promise<number>) => async (): Promise<Measured> => {
  const workers = await import("meanwhile/workers");
  await using pool: Pool = new workers.WorkerPool(JOBS, { threads: WORKERS });
  const numbers = Array.from({ length: NUMBERS }, (_, n) => n);
  return await microsecondsEach(NUMBERS, async () => check("sum", await sumOf(pool, numbers), SUM));
};

const inLoop = ours(async (pool, numbers) => {
  let sum = 0;
  for await (const result of pool.map("increment", numbers)) sum += result;
  return sum;
});

const inArray = ours(async (pool, numbers) => {
  let sum = 0;
  for (const result of await pool.map("increment", numbers).toArray()) sum += result;
  return sum;
});

const chunksByHand = (open: OpenPool) => async (): Promise<Measured> => {
  await using pool = await open("incrementAll");
  const numbers = Array.from({ length: NUMBERS }, (_, n) => n);
  const chunks = Array.from({ length: NUMBERS / CHUNK }, (_, n) => numbers.slice(n * CHUNK, (n + 1) * CHUNK));
  return await microsecondsEach(NUMBERS, async () => {
    let sum = 0;
    for (const results of await Promise.all(chunks.map((chunk) => pool.call(chunk)))) {
      if (Array.isArray(results)) for (const result of results) sum += Number(result);
    }
    check("sum", sum, SUM);
  });
};

export const row: Row = {
  name: "workers-map",
  title: "map of a trivial function over 500 000 numbers in workers",
  about:
    "The function adds one to a number and is called once for each; the results are added up in order. `WorkerPool.map` and `multiprocessing.Pool.map` make chunks of the numbers by themselves, " +
    "the executor and `imap` are told a chunk size of 5 000. piscina has no map: it is called with such chunks, and its function with a list. `Pool.map` and `toArray` give all results at once; the loop over `WorkerPool.map` and `imap` gives them one by one.",
  figures: [{ key: "wall", label: "µs per number", better: "less" }],
  peers: [
    { kind: "node", name: "WorkerPool.map, toArray", ours: true, packages: ["meanwhile"], measure: inArray },
    { kind: "node", name: "WorkerPool.map, loop", ours: true, packages: ["meanwhile"], measure: inLoop },
    { kind: "node", name: "piscina, chunks by hand", packages: ["piscina"], measure: chunksByHand(piscina) },
    ...pythonPeers("map"),
    {
      kind: "python",
      name: "multiprocessing.Pool.imap",
      script: "workers.py",
      args: ["imap", "pool", String(WORKERS)],
      modules: [],
    },
  ],
  targets: [
    { ours: "WorkerPool.map, toArray", beside: "multiprocessing.Pool", figure: "wall", compares: "speed", limit: 1 },
    { ours: "WorkerPool.map, loop", beside: "multiprocessing.Pool.imap", figure: "wall", compares: "speed", limit: 1 },
  ],
};
