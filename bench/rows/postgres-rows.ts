// Row 6b: what the rows of a large result cost.

import { check } from "../harness/measuring.ts";
import { address, CONNECTIONS, ITEMS, type Load, perSecond, postgres } from "../harness/postgres.ts";
import type { Measured, Row } from "../harness/row.ts";

const SQL = "select id, name, price, sold, added from items";

function load(ask: () => Promise<{ length: number }>): Load {
  return { count: 200, atOnce: CONNECTIONS, job: async () => check("rows", (await ask()).length, ITEMS) };
}

async function ours(): Promise<Measured> {
  const [{ gather, run }, { createPool }] = await Promise.all([import("meanwhile"), import("@meanwhile/postgres")]);
  return run(async () => {
    await using pool = createPool({ ...address(), maxSize: CONNECTIONS });
    return await perSecond(
      load(() => pool.fetch(SQL)),
      (loops) => gather(loops),
    );
  });
}

async function pg(): Promise<Measured> {
  const { default: driver } = await import("pg");
  const pool = new driver.Pool({ ...address(), max: CONNECTIONS });
  const measured = await perSecond(load(async () => (await pool.query(SQL)).rows));
  await pool.end();
  return measured;
}

async function postgresJs(): Promise<Measured> {
  const { default: connect } = await import("postgres");
  const sql = connect({ ...address(), max: CONNECTIONS });
  const measured = await perSecond(load(() => sql`select id, name, price, sold, added from items`));
  await sql.end();
  return measured;
}

export const row: Row = {
  name: "postgres-rows",
  title: "PostgreSQL, results of 1 000 rows, ten connections",
  about:
    "Ten loops ask for a table of 1 000 rows with five columns: int4, text, float8, bool and timestamptz, the last of which becomes a `Date` (in Python a `datetime`). " +
    "Every peer makes an object of each row; those of asyncpg unpack their values when they are read.",
  figures: [
    { key: "rate", label: "results/s", better: "more" },
    { key: "cpu", label: "CPU µs per result", better: "less" },
  ],
  server: postgres,
  peers: [
    { kind: "node", name: "pg", packages: ["pg"], measure: pg },
    { kind: "node", name: "meanwhile", ours: true, packages: ["@meanwhile/postgres"], measure: ours },
    { kind: "node", name: "postgres.js", packages: ["postgres"], measure: postgresJs },
    { kind: "python", name: "asyncpg", script: "postgres.py", args: ["asyncio", "rows"], modules: ["asyncpg"] },
    {
      kind: "python",
      name: "asyncpg + uvloop",
      script: "postgres.py",
      args: ["uvloop", "rows"],
      modules: ["asyncpg", "uvloop"],
    },
  ],
  targets: [{ ours: "meanwhile", beside: "pg", figure: "rate", compares: "speed", limit: 1 }],
};
