// Row 6c: what a transaction costs.

import { address, CONNECTIONS, ITEMS, type Load, perSecond, postgres } from "../harness/postgres.ts";
import type { Measured, Row } from "../harness/row.ts";

const READ = "select price from items where id = $1";
const ADD = "update counters set value = value + $2 where id = $1";
const READ_BACK = "select value from counters where id = $1";

/** Each loop has a counter of its own: transactions that wait for each other would measure the server. */
function load(transact: (item: number, counter: number) => Promise<unknown>): Load {
  return { count: 1_000, atOnce: CONNECTIONS, job: (turn, loop) => transact(1 + (turn % ITEMS), 1 + loop) };
}

async function ours(): Promise<Measured> {
  const [{ gather, run }, { createPool }] = await Promise.all([import("meanwhile"), import("@meanwhile/postgres")]);
  return run(async () => {
    await using pool = createPool({ ...address(), maxSize: CONNECTIONS });
    const transact = (item: number, counter: number): Promise<unknown> =>
      pool.transaction(async (connection) => {
        await connection.fetchRow(READ, item);
        await connection.execute(ADD, counter, 1);
        return connection.fetchRow(READ_BACK, counter);
      });
    return await perSecond(load(transact), (loops) => gather(loops));
  });
}

async function pg(): Promise<Measured> {
  const { default: driver } = await import("pg");
  const pool = new driver.Pool({ ...address(), max: CONNECTIONS });
  const measured = await perSecond(
    load(async (item, counter) => {
      const client = await pool.connect();
      try {
        await client.query("begin");
        await client.query({ name: "read", text: READ, values: [item] });
        await client.query({ name: "add", text: ADD, values: [counter, 1] });
        await client.query({ name: "read back", text: READ_BACK, values: [counter] });
        await client.query("commit");
      } finally {
        client.release();
      }
    }),
  );
  await pool.end();
  return measured;
}

async function postgresJs(): Promise<Measured> {
  const { default: connect } = await import("postgres");
  const pool = connect({ ...address(), max: CONNECTIONS });
  const measured = await perSecond(
    load((item, counter) =>
      pool.begin(async (sql) => {
        await sql`select price from items where id = ${item}`;
        await sql`update counters set value = value + ${1} where id = ${counter}`;
        await sql`select value from counters where id = ${counter}`;
      }),
    ),
  );
  await pool.end();
  return measured;
}

export const row: Row = {
  name: "postgres-transaction",
  title: "PostgreSQL, transactions of three statements, ten connections",
  about:
    "Ten loops read an item, add to a counter that is theirs alone, and read it back, in a transaction. Nothing is forced to the disk. The statements of pg have names, so that it prepares them once as the others do.",
  figures: [
    { key: "rate", label: "transactions/s", better: "more" },
    { key: "cpu", label: "CPU µs per transaction", better: "less" },
  ],
  server: postgres,
  peers: [
    { kind: "node", name: "pg", packages: ["pg"], measure: pg },
    { kind: "node", name: "meanwhile", ours: true, packages: ["@meanwhile/postgres"], measure: ours },
    { kind: "node", name: "postgres.js", packages: ["postgres"], measure: postgresJs },
    { kind: "python", name: "asyncpg", script: "postgres.py", args: ["asyncio", "transaction"], modules: ["asyncpg"] },
    {
      kind: "python",
      name: "asyncpg + uvloop",
      script: "postgres.py",
      args: ["uvloop", "transaction"],
      modules: ["asyncpg", "uvloop"],
    },
  ],
  targets: [
    { ours: "meanwhile", beside: "pg", figure: "rate", compares: "speed", limit: 1 },
    { ours: "meanwhile", beside: "asyncpg + uvloop", figure: "rate", compares: "speed", limit: 1 },
  ],
};
