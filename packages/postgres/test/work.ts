// What a program does with a pool, one kind at a time: for tests that break it in the middle.

import type { Pool } from "../src/pool.ts";

/** Something a program does. Each can be broken off at any of its waits. */
export interface Work {
  readonly name: string;
  /** What it gives if it is done, whatever happened to others before. */
  readonly gives: unknown;
  readonly run: (pool: Pool) => Promise<unknown>;
}

/** The tables that the work needs. */
export const TABLES: string = `
  create table if not exists work (id int, name text);
  truncate work;
  insert into work select n, 'name ' || n from generate_series(1, 2000) n;
  create table if not exists copied (id int, name text)`;

const SELECT = "select id, name from work where id <= $1";

export const WORKS: readonly Work[] = [
  {
    // An answer that belongs to another question would be another number.
    name: "fetch",
    gives: true,
    run: async (pool) => {
      const asked = nextNumber();
      return (await pool.fetchValue("select $1::int from work where id <= 20", asked)) === asked;
    },
  },
  {
    name: "fetch of many rows",
    gives: 2_000,
    run: async (pool) => (await pool.fetch("select n, repeat('x', 100) from generate_series(1, 2000) n")).length,
  },
  { name: "a slow statement", gives: 1, run: (pool) => pool.fetchValue("select 1 from pg_sleep(0.02)") },
  {
    name: "a failing statement",
    gives: "22012",
    run: (pool) => pool.fetch("select 1 / $1::int", 0).catch(sqlstateOf),
  },
  {
    name: "a transaction",
    gives: "name 7",
    run: (pool) =>
      pool.transaction(async (connection) => {
        await connection.execute("insert into copied values ($1, $2)", 1, "one");
        const name = await connection.fetchValue("select name from work where id = $1", 7);
        await connection.transaction(() => connection.execute("delete from copied where id = $1", 1));
        return name;
      }),
  },
  {
    name: "a cursor",
    gives: 600,
    run: async (pool) => {
      let count = 0;
      for await (const row of pool.cursor(SELECT, 600)) count += row["id"] === undefined ? 0 : 1;
      return count;
    },
  },
  { name: "executeMany", gives: 50, run: (pool) => pool.executeMany("insert into copied values ($1, $2)", pairs(50)) },
  {
    name: "copyFrom",
    gives: 2_000,
    run: (pool) => pool.copyFrom({ table: "copied", columns: ["id", "name"] }, pairs(2_000)),
  },
  {
    name: "copyTo",
    gives: 2_000,
    run: async (pool) => {
      let text = "";
      for await (const chunk of pool.copyTo({ table: "work" })) text += Buffer.from(chunk).toString("latin1");
      return text.trim().split("\n").length;
    },
  },
  {
    name: "a held connection",
    gives: 3,
    run: async (pool) => {
      await using connection = await pool.acquire();
      await connection.execute("set work_mem = '1MB'");
      const statement = await connection.prepare(SELECT);
      const rows = await statement.fetch(3);
      await statement.close();
      return rows.length;
    },
  },
  {
    name: "a notification",
    gives: undefined,
    run: async (pool) => {
      await using heard = pool.listen("work");
      await heard.ready();
      await pool.notify("work", "1");
      await heard.next();
    },
  },
];

let newestNumber = 0;

function nextNumber(): number {
  newestNumber += 1;
  return newestNumber;
}

function sqlstateOf(error: unknown): unknown {
  if (!(error instanceof Error) || !("sqlstate" in error) || error.sqlstate !== "22012") throw error;
  return error.sqlstate;
}

function* pairs(count: number): Generator<[number, string]> {
  for (let id = 0; id < count; id += 1) yield [id, `name ${id}`];
}

/** Numbers in [0, 1), the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
