// The note's database query, on a server that the tour starts, and what becomes of a query that is given up.

import { createPool, type Pool, PostgresError } from "@meanwhile/postgres";
import { moveOnAfter } from "meanwhile";

import type { Chapter } from "../chapter.ts";
import { Laps } from "../laps.ts";
import { codeOf } from "../source.ts";
import type { Stage } from "../stage.ts";

async function listUsers(pool: Pool) {
  await using connection = await pool.acquire();
  return await connection.fetch("SELECT * FROM users");
}

async function waitForReport(pool: Pool) {
  return moveOnAfter(150, () => pool.fetch("SELECT pg_sleep(20)"));
}

async function pay(pool: Pool, amount: number) {
  await pool.transaction(async (connection) => {
    const take = "UPDATE users SET euros = euros - $1 WHERE name = $2";
    await connection.execute(take, amount, "Ada");
    await connection.execute(take, -amount, "Grace");
  });
}

const USERS = `
  CREATE TABLE users (id int, name text, euros int CHECK (euros >= 0));
  INSERT INTO users VALUES (1, 'Ada', 10), (2, 'Grace', 20)`;

async function play(stage: Stage): Promise<void> {
  // Never the server that DATABASE_URL names: the tour writes.
  await using pool = createPool({ embedded: true, maxSize: 1 });
  const laps = new Laps();
  if (!(await isReady(pool, laps, stage))) return;
  await pool.execute(USERS);
  stage.say("This PostgreSQL was started for you, and is gone when the tour is over:");
  stage.bars(laps.all, laps.totalMs);
  stage.space();
  stage.code(codeOf(import.meta.url, ["listUsers"]));
  for (const row of await listUsers(pool)) stage.line(JSON.stringify(row));
  stage.space();
  await playCancel(stage, pool);
  await playTransaction(stage, pool);
}

async function isReady(pool: Pool, laps: Laps, stage: Stage): Promise<boolean> {
  try {
    using _ = laps.start("initdb, start");
    await pool.ready();
    return true;
  } catch (error) {
    if (!(error instanceof PostgresError) || error.code !== "MW_ERR_PG_EMBEDDED") throw error;
    stage.say(`This chapter needs a PostgreSQL. ${error.message}.`);
    return false;
  }
}

async function playCancel(stage: Stage, pool: Pool): Promise<void> {
  stage.say("Whoever waits for a query can stop waiting, and then the server stops too:");
  stage.code(codeOf(import.meta.url, ["waitForReport"]));
  const before = await pool.fetchValue("SELECT pg_backend_pid()");
  const laps = new Laps();
  {
    using _ = laps.start("pg_sleep(20)");
    await waitForReport(pool);
  }
  stage.bars(laps.all, laps.totalMs);
  const after = await pool.fetchValue("SELECT pg_backend_pid()");
  stage.belowBar(`then the ${before === after ? "same" : "next"} connection answers: server process ${String(after)}`);
  stage.space();
}

async function playTransaction(stage: Stage, pool: Pool): Promise<void> {
  stage.say("A transaction is a block; one that throws, or is cancelled, is rolled back:");
  stage.code(codeOf(import.meta.url, ["pay"]));
  await pay(pool, 5);
  stage.line(`5 euros are paid: ${await balances(pool)}`);
  const why = await pay(pool, 100).catch((error: unknown) => (error instanceof PostgresError ? error.name : error));
  stage.line(`100 euros are not (${String(why)}): ${await balances(pool)}`);
  stage.result(
    "A pool that cancellation cannot break: each connection comes back whole, or another one takes its place.",
  );
}

function balances(pool: Pool): Promise<string | undefined> {
  return pool.fetchValue("SELECT string_agg(name || ' has ' || euros, ', ' ORDER BY id) FROM users");
}

/** A chapter about PostgreSQL. */
export const postgresChapter: Chapter = {
  title: "SELECT * FROM users",
  moduleUrl: import.meta.url,
  play,
};
