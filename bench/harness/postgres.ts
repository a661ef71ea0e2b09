// A PostgreSQL of our own with a table of 1 000 items, and how its peers are set to work.
// `BENCH_PG_HOST` is the directory of its socket.

import { connect, startEmbedded } from "@meanwhile/postgres";
import { run } from "meanwhile";

import { costOf, LONG } from "./measuring.ts";
import type { Measured, Server } from "./row.ts";

export const postgres: Server = { missing: () => null, start };

/** How many connections each pool has. */
export const CONNECTIONS = 10;
/** How many rows the table `items` has: their ids are 1 to that. */
export const ITEMS = 1_000;

/** Where the server is, in options that all peers understand. */
export function address(): { host: string; port: number; user: string; database: string } {
  return { host: process.env["BENCH_PG_HOST"] ?? "", port: 5432, user: "postgres", database: "postgres" };
}

async function start(): Promise<AsyncDisposable> {
  return run(async () => {
    const server = await startEmbedded();
    await using connection = await connect(server.dsn);
    await connection.execute(
      `create table items as select id::int4, 'item ' || id as name, id / 8.0::float8 as price, id % 2 = 0 as sold,
       '2026-01-01 12:00+00'::timestamptz + id * interval '1 hour' as added from generate_series(1, ${ITEMS}) as id`,
    );
    await connection.execute("alter table items add primary key (id)");
    await connection.execute("create table counters as select id::int4, 0 as value from generate_series(1, 10) as id");
    await connection.execute("alter table counters add primary key (id)");
    await connection.execute("create unlogged table copied (id int4, name text, price float8)");
    await connection.execute("analyze");
    process.env["BENCH_PG_HOST"] = decodeURIComponent(new URL(server.dsn).hostname);
    return { [Symbol.asyncDispose]: () => run(() => server.stop()) };
  });
}

/** What is done, and how many of it at a time. */
export interface Load {
  /** Done in one repetition. */
  readonly count: number;
  readonly atOnce: number;
  /** Does one of it; `turn` is how many came before, `loop` which of those at a time does it. */
  readonly job: (turn: number, loop: number) => Promise<unknown>;
}

type Gather = (loops: (() => Promise<void>)[]) => Promise<unknown>;
const promiseAll: Gather = (loops) => Promise.all(loops.map((loop) => loop()));

/** How many a second. */
export async function perSecond(load: Load, gather: Gather = promiseAll): Promise<Measured> {
  const { wallMs, cpuMs } = await costOf(() => gather(loopsOf(load)), LONG);
  return { rate: (load.count * 1000) / wallMs, cpu: (cpuMs * 1000) / load.count };
}

function loopsOf({ count, atOnce, job }: Load): (() => Promise<void>)[] {
  let next = 0;
  return Array.from({ length: atOnce }, (_, loop) => async () => {
    while (next < count) {
      next += 1;
      await job(next - 1, loop);
    }
  });
}
