// Row 6d: what it costs to bring many rows into a table.

import { pipeline } from "node:stream/promises";

import { costOf, LONG } from "../harness/measuring.ts";
import { address, postgres } from "../harness/postgres.ts";
import type { Measured, Row } from "../harness/row.ts";

const ROWS = 50_000;
/** What one statement of those inserts that have no COPY: the protocol has room for 65 535 arguments. */
const AT_ONCE = 1_000;

function* records(): Generator<[id: number, name: string, price: number]> {
  for (let id = 0; id < ROWS; id += 1) yield [id, `item ${id}`, id / 8];
}

function* lines(): Generator<string> {
  for (const record of records()) yield `${record.join("\t")}\n`;
}

async function perSecond(work: () => Promise<unknown>): Promise<Measured> {
  const { wallMs, cpuMs } = await costOf(work, LONG);
  return { rate: (ROWS * 1000) / wallMs, cpu: (cpuMs * 1000) / ROWS };
}

async function ours(): Promise<Measured> {
  const [{ run }, { connect }] = await Promise.all([import("meanwhile"), import("@meanwhile/postgres")]);
  return run(async () => {
    await using connection = await connect(address());
    return await perSecond(async () => {
      await connection.execute("truncate copied");
      await connection.copyFrom({ table: "copied", columns: ["id", "name", "price"] }, records());
    });
  });
}

async function pgInsert(): Promise<Measured> {
  const { default: driver } = await import("pg");
  const client = new driver.Client(address());
  await client.connect();
  const places = Array.from({ length: AT_ONCE }, (_, i) => `($${3 * i + 1}, $${3 * i + 2}, $${3 * i + 3})`);
  const text = `insert into copied (id, name, price) values ${places.join(", ")}`;
  const measured = await perSecond(async () => {
    await client.query("truncate copied");
    let values: (number | string)[] = [];
    for (const record of records()) {
      values.push(...record);
      if (values.length < AT_ONCE * 3) continue;
      await client.query({ name: "insert", text, values });
      values = [];
    }
  });
  await client.end();
  return measured;
}

async function postgresJs(): Promise<Measured> {
  const { default: connect } = await import("postgres");
  const sql = connect({ ...address(), max: 1 });
  const measured = await perSecond(async () => {
    await sql`truncate copied`;
    await pipeline(lines(), await sql`copy copied (id, name, price) from stdin`.writable());
  });
  await sql.end();
  return measured;
}

export const row: Row = {
  name: "postgres-copy",
  title: "PostgreSQL, 50 000 rows into a table",
  about:
    "50 000 rows of int4, text and float8 go into an empty table over one connection. Ours, postgres.js and asyncpg use COPY: ours and asyncpg are given records, postgres.js takes only text, which is made of them here without the checks and escapes that real text needs. pg has no COPY; it inserts 1 000 rows with each statement.",
  figures: [
    { key: "rate", label: "rows/s", better: "more" },
    { key: "cpu", label: "CPU µs per row", better: "less" },
  ],
  server: postgres,
  peers: [
    { kind: "node", name: "pg, inserts", packages: ["pg"], measure: pgInsert },
    { kind: "node", name: "meanwhile", ours: true, packages: ["@meanwhile/postgres"], measure: ours },
    { kind: "node", name: "postgres.js", packages: ["postgres"], measure: postgresJs },
    { kind: "python", name: "asyncpg", script: "postgres.py", args: ["asyncio", "copy"], modules: ["asyncpg"] },
    {
      kind: "python",
      name: "asyncpg + uvloop",
      script: "postgres.py",
      args: ["uvloop", "copy"],
      modules: ["asyncpg", "uvloop"],
    },
  ],
  targets: [{ ours: "meanwhile", beside: "postgres.js", figure: "rate", compares: "speed", limit: 1 }],
};
