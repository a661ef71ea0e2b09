// How long it takes until a new pool has done something on all its workers, and is closed.

import { check, costOf } from "../harness/measuring.ts";
import { type OpenPool, poolPeers, pythonPeers, WORKERS } from "../harness/pools.ts";
import type { Measured, Row } from "../harness/row.ts";

const SUM = (WORKERS * (WORKERS + 1)) / 2;

const start = (open: OpenPool) => async (): Promise<Measured> => {
  const { wallMs } = await costOf(async () => {
    await using pool = await open("increment");
    const results = await Promise.all(Array.from({ length: WORKERS }, (_, n) => pool.call(n)));
    const sum = results.reduce<number>((total, result) => total + Number(result), 0);
    check("sum", sum, SUM);
  });
  return { wall: wallMs };
};

export const row: Row = {
  name: "workers-start",
  title: "a new pool, a call for each of its workers, and its end",
  about:
    "Every pool is opened, called once for each worker (a trivial function) and closed, again and again in one process. The package of the pool is loaded in the caller before; each worker loads its own copy, ours as it is published (`npm run build` before). " +
    "The two of Python fork, which copies a process that has loaded everything.",
  isBuilt: true,
  figures: [{ key: "wall", label: "ms", better: "less" }],
  peers: [...poolPeers(start), ...pythonPeers("start")],
  targets: [{ ours: "WorkerPool", beside: "piscina", figure: "wall", compares: "cost", limit: 1.5 }],
};
