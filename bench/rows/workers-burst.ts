// What it costs to hand over work. 10 000 calls of a function that adds one, all at once.

import { check, microsecondsEach } from "../harness/measuring.ts";
import { type OpenPool, poolPeers, pythonPeers, WORKERS } from "../harness/pools.ts";
import type { Measured, Row } from "../harness/row.ts";

const CALLS = 10_000;
const SUM = (CALLS * (CALLS + 1)) / 2;

const burst = (open: OpenPool) => async (): Promise<Measured> => {
  await using pool = await open("increment");
  return await microsecondsEach(CALLS, async () => {
    const results = await Promise.all(Array.from({ length: CALLS }, (_, n) => pool.call(n)));
    const sum = results.reduce<number>((total, result) => total + Number(result), 0);
    check("sum", sum, SUM);
  });
};

export const row: Row = {
  name: "workers-burst",
  title: "10 000 calls of a trivial function in workers, all at once",
  about:
    `The function adds one to its number, so the time is that of the way there and back. Every pool has as many workers as there are processors (${WORKERS} here), which are warm. ` +
    "The caller makes all calls, then awaits all results and adds them up. Threads, but for ProcessPool and the two of Python.",
  figures: [{ key: "wall", label: "µs per call", better: "less" }],
  peers: [...poolPeers(burst), ...pythonPeers("burst")],
  targets: [{ ours: "WorkerPool", beside: "piscina", figure: "wall", compares: "speed", limit: 10 }],
};
