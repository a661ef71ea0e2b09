// How long a call takes when there is no other: 1 000 calls, one after the other.

import { check, microsecondsEach } from "../harness/measuring.ts";
import { type OpenPool, poolPeers, pythonPeers } from "../harness/pools.ts";
import type { Measured, Row } from "../harness/row.ts";

const CALLS = 1_000;

const turns = (open: OpenPool) => async (): Promise<Measured> => {
  await using pool = await open("increment");
  return await microsecondsEach(CALLS, async () => {
    for (let n = 0; n < CALLS; n++) check("value", Number(await pool.call(n)), n + 1);
  });
};

export const row: Row = {
  name: "workers-turns",
  title: "1 000 calls of a trivial function in workers, one after the other",
  about:
    "The function adds one to its number; each call is made when the one before has returned, so nothing can be put together and the time is that of waking a thread and being woken by it.",
  figures: [{ key: "wall", label: "µs per call", better: "less" }],
  peers: [...poolPeers(turns), ...pythonPeers("turns")],
  targets: [{ ours: "WorkerPool", beside: "piscina", figure: "wall", compares: "cost", limit: 1 }],
};
