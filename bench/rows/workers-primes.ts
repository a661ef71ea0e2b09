// What is left of the processors: 78 498 primes counted by all of them.

import { countPrimes, type Range } from "../harness/jobs.ts";
import { check, costOf, LONG } from "../harness/measuring.ts";
import { type OpenPool, poolPeers, pythonPeers, WORKERS } from "../harness/pools.ts";
import type { Measured, Row } from "../harness/row.ts";

const PARTS = 50;
const STEP = 20_000;
const PRIMES = 78_498;

const parts: readonly Range[] = Array.from({ length: PARTS }, (_, n) => ({ from: n * STEP, to: (n + 1) * STEP }));

async function alone(): Promise<Measured> {
  const { wallMs } = await costOf(() => {
    check(
      "primes",
      parts.reduce((total, part) => total + countPrimes(part), 0),
      PRIMES,
    );
  }, LONG);
  return { wall: wallMs / WORKERS };
}

const inPool = (open: OpenPool) => async (): Promise<Measured> => {
  await using pool = await open("countPrimes");
  const { wallMs } = await costOf(async () => {
    const counts = await Promise.all(parts.map((part) => pool.call(part)));
    const sum = counts.reduce<number>((total, count) => total + Number(count), 0);
    check("primes", sum, PRIMES);
  }, LONG);
  return { wall: wallMs };
};

export const row: Row = {
  name: "workers-primes",
  title: "primes below a million, counted by all processors",
  about: `50 parts, each a call; every pool has ${WORKERS} workers. \`ideal\` is the time of the same work in one thread, divided by the number of workers: no pool can be faster than that, if nothing else runs on the machine. CPython computes slower by itself; it is there for the pool, not for the language.`,
  figures: [{ key: "wall", label: "ms", better: "less" }],
  rounds: 3,
  peers: [
    { kind: "node", name: "ideal", packages: [], measure: alone },
    ...poolPeers(inPool),
    ...pythonPeers("primes").map((peer) => ({ ...peer, rounds: 1 })),
  ],
  targets: [{ ours: "WorkerPool", beside: "ideal", figure: "wall", compares: "cost", limit: 1 / 0.95 }],
};
