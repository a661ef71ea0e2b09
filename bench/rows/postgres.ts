// Row 6: what a query costs. One row by its key, 100 at a time, over a pool of ten connections.

import { check } from "../harness/measuring.ts";
import { address, CONNECTIONS, ITEMS, type Load, perSecond, postgres } from "../harness/postgres.ts";
import type { Measured, Row } from "../harness/row.ts";

const SQL = "select id, name, price from items where id = $1";

/** A job that asks for one item, by what gives the row with an id. */
function load(ask: (id: number) => Promise<{ id: number } | undefined>): Load {
  const job = async (turn: number): Promise<void> => {
    const id = 1 + (turn % ITEMS);
    check("id", (await ask(id))?.id ?? 0, id);
  };
  return { count: 10_000, atOnce: 100, job };
}

async function ours(): Promise<Measured> {
  const [{ gather, run }, { createPool }] = await Promise.all([import("meanwhile"), import("@meanwhile/postgres")]);
  return run(async () => {
    await using pool = createPool({ ...address(), maxSize: CONNECTIONS });
    return await perSecond(
      load((id) => pool.fetchRow<{ id: number }>(SQL, id)),
      (loops) => gather(loops),
    );
  });
}

async function pg(name?: string): Promise<Measured> {
  const { default: driver } = await import("pg");
  const pool = new driver.Pool({ ...address(), max: CONNECTIONS });
  const named = name === undefined ? {} : { name };
  const measured = await perSecond(
    load(async (id) => {
      const { rows } = await pool.query<{ id: number }>({ text: SQL, values: [id], ...named });
      return rows[0];
    }),
  );
  await pool.end();
  return measured;
}

async function postgresJs(): Promise<Measured> {
  const { default: connect } = await import("postgres");
  const sql = connect({ ...address(), max: CONNECTIONS });
  const measured = await perSecond(
    load(async (id) => {
      const [row] = await sql<{ id: number }[]>`select id, name, price from items where id = ${id}`;
      return row;
    }),
  );
  await sql.end();
  return measured;
}

export const row: Row = {
  name: "postgres",
  title: "PostgreSQL, one row by its key, 100 at a time, ten connections",
  about:
    "100 loops ask for one row of three columns by its primary key, each for another one, over a pool of ten connections on a Unix socket, until 10 000 answers are there, again and again for three seconds. " +
    "Server and client share the machine. The id of each row is checked. Ours, postgres.js and asyncpg keep the statement prepared, as they do by default; pg does so only for a query with a name, and is measured both ways. " +
    "postgres.js sends queries of several callers over one connection before the first is answered (up to 100): none of them can be cancelled apart.",
  figures: [
    { key: "rate", label: "queries/s", better: "more" },
    { key: "cpu", label: "CPU µs per query", better: "less" },
  ],
  server: postgres,
  peers: [
    { kind: "node", name: "pg", packages: ["pg"], measure: () => pg() },
    { kind: "node", name: "pg, named", packages: ["pg"], measure: () => pg("item") },
    { kind: "node", name: "meanwhile", ours: true, packages: ["@meanwhile/postgres"], measure: ours },
    { kind: "node", name: "postgres.js", packages: ["postgres"], measure: postgresJs },
    { kind: "python", name: "asyncpg", script: "postgres.py", args: ["asyncio", "query"], modules: ["asyncpg"] },
    {
      kind: "python",
      name: "asyncpg + uvloop",
      script: "postgres.py",
      args: ["uvloop", "query"],
      modules: ["asyncpg", "uvloop"],
    },
  ],
  targets: [
    { ours: "meanwhile", beside: "pg", figure: "rate", compares: "speed", limit: 1 },
    { ours: "meanwhile", beside: "pg, named", figure: "rate", compares: "speed", limit: 1 },
    { ours: "meanwhile", beside: "asyncpg + uvloop", figure: "rate", compares: "speed", limit: 2 },
  ],
};
