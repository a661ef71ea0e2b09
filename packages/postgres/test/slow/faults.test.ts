// Eight kinds of bad networks, each at many places of what a program does: every call ends before its deadline with an error
// that is documented, and the pool is whole two seconds after the network is.

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { gather, isCancelled, run, timeout, TimeoutError } from "meanwhile";

import { noteFigure } from "../../../../tools/figures.ts";
import { createPool } from "../../src/create-pool.ts";
import { PostgresError } from "../../src/errors.ts";
import type { Pool } from "../../src/pool.ts";
import { type Direction, FaultProxy, type Toxic } from "../fault-proxy.ts";
import { startServer } from "../servers.ts";
import { TABLES, type Work, WORKS } from "../work.ts";

const POINTS = Math.ceil(25 * Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1));
const CONNECTIONS = 4;
const DEADLINE_MS = 300;
/** What it may take beyond its deadline to cancel a statement, or give up its connection. */
const CANCEL_MS = 200;
/** For a machine that does something else. */
const SLACK_MS = 2_000;
const WHOLE_MS = 2_000;

const server = await startServer();
const proxy = await FaultProxy.start(server.port);
after(() => proxy[Symbol.asyncDispose]());

type Kind = Exclude<Toxic["kind"], "late-cancel">;

/** The places of a kind: where in the traffic, and how bad. They grow, so that the first bytes are tried one by one. */
function toxicAt(kind: Kind, point: number): Toxic {
  const afterBytes = Math.floor(point ** 2.8);
  switch (kind) {
    case "latency":
      return { kind, delayMs: 1 + point * 20 };
    case "bandwidth":
      return { kind, bytesPerMs: 1 + point ** 2 };
    case "slicer":
      return { kind, bytes: 1 + point };
    case "black-hole":
      return { kind };
    default:
      return { kind, afterBytes };
  }
}

const DIRECTIONS: readonly Direction[] = ["to-client", "to-server", "both"];

interface Outcome {
  readonly codes: Map<string, number>;
  slowestMs: number;
}

/** Does everything at once while the network is bad. */
async function suffer(pool: Pool, point: number, kind: Kind, outcome: Outcome): Promise<void> {
  const poison = (): void => proxy.poison(toxicAt(kind, point), DIRECTIONS[point % DIRECTIONS.length]);
  const one = async ({ name, run: work, gives }: Work): Promise<void> => {
    const startedAt = performance.now();
    const code = await timeout(DEADLINE_MS, () => work(pool)).then(
      (given) => {
        // Of one byte that is wrong only TLS can tell.
        if (kind !== "corrupt") assert.equal(given, gives, `${kind} ${point}: ${name}`);
        return "done";
      },
      (error: unknown) => documentedCode(error, `${kind} ${point}: ${name}`),
    );
    const ms = performance.now() - startedAt;
    outcome.slowestMs = Math.max(outcome.slowestMs, ms);
    assert.ok(ms < DEADLINE_MS + CANCEL_MS + SLACK_MS, `${kind} ${point}: ${name} takes ${ms} ms`);
    outcome.codes.set(code, (outcome.codes.get(code) ?? 0) + 1);
  };
  // Before everything, or in the middle of it: connections are then open and busy.
  if (point % 2 === 0) poison();
  const working = WORKS.map((work) => () => one(work));
  const inTheMiddle = async (): Promise<void> => {
    await pause(point % 11);
    if (point % 2 === 1) poison();
  };
  await gather([...working, inTheMiddle]);
}

function documentedCode(error: unknown, where: string): string {
  if (error instanceof PostgresError || error instanceof TimeoutError) return error.code;
  assert.ok(!isCancelled(error), `${where}: a cancellation that was not ours`);
  throw new Error(`${where}: not a documented error`, { cause: error });
}

describe(`a pool with a bad network, at ${POINTS} places each`, () => {
  for (const kind of [
    "latency",
    "bandwidth",
    "slicer",
    "black-hole",
    "reset",
    "half-close",
    "limit",
    "corrupt",
  ] as const) {
    it(`ends every call with a documented error before its deadline, and is whole afterwards: ${kind}`, async () => {
      const outcome: Outcome = { codes: new Map(), slowestMs: 0 };
      const startedAt = performance.now();
      await run(async () => {
        await using pool = createPool({
          host: "127.0.0.1",
          port: proxy.port,
          user: "postgres",
          database: "postgres",
          ssl: "disable",
          maxSize: CONNECTIONS,
          cancelTimeoutMs: CANCEL_MS,
        });
        await pool.execute(TABLES);
        for (let point = 0; point < POINTS; point += 1) {
          await suffer(pool, point, kind, outcome);
          proxy.heal();
          await isWhole(pool, `${kind} ${point}`);
        }
      });
      const codes = Array.from(outcome.codes, ([code, count]) => `${code} ${count}`).join(", ");
      noteFigure(`Postgres: ${kind}`, {
        count: POINTS * WORKS.length,
        unit: "calls",
        ms: performance.now() - startedAt,
        note: `slowest ${outcome.slowestMs.toFixed(0)} ms; ${codes}`,
      });
    });
  }
});

/** All connections answer, within two seconds. */
async function isWhole(pool: Pool, where: string): Promise<void> {
  const ask = (): Promise<unknown> =>
    pool.with(async (connection) => {
      await connection.fetch("select pg_sleep(0.005)");
      return connection.fetchValue("select count(*)::int from work");
    });
  const answers = timeout(WHOLE_MS, () => gather(Array.from({ length: CONNECTIONS }, () => ask)));
  await assert.doesNotReject(answers, `${where}: the pool is not whole after ${WHOLE_MS} ms`);
  assert.deepEqual(await answers, Array(CONNECTIONS).fill(2_000), where);
  const { held, waiting, size } = pool.statistics();
  assert.deepEqual([held, waiting], [0, 0], where);
  assert.ok(size <= CONNECTIONS, `${where}: ${size} connections`);
}
