// Programs over code that was not written for meanwhile, cancelled at each of their awaits at each of its moments, and at
// random times; with a real database, if there is one on this machine.

import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";

import { Pool } from "pg";

import { noteFigure } from "../../../../tools/figures.ts";
import { attempt, cancelEverywhere, failingWith, type Scenario } from "../foreign/driver.ts";
import { GROUPS, load } from "../foreign/load.ts";
import type * as databases from "../foreign/scenarios/database.ts";
import { Place } from "../foreign/world.ts";
import { Postgres } from "./postgres.ts";

const SCALE = Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1);
const AT_RANDOM = Math.ceil(60 * SCALE);
const MOMENTS = ["before it", "as it begins", "a turn later", "as its value arrives"] as const;

const place = await Place.open();
after(() => place[Symbol.asyncDispose]());
const groups = await load([...GROUPS, "database"]);

async function torture(group: string, scenario: Scenario, context: TestContext): Promise<void> {
  const started = performance.now();
  const { runs, awaits, slowestMs } = await cancelEverywhere(scenario, place, MOMENTS);
  const outcomes = { value: 0, cancelled: 0, failed: 0 };
  await attempt(scenario, place); // what is to be compiled, is
  const { ms } = await attempt(scenario, place);
  for (let count = 0; count < AT_RANDOM; count += 1) {
    const afterMs = Math.random() * ms * 1.2;
    const { outcome } = await failingWith(`cancelled after ${afterMs} ms`, () => attempt(scenario, place, { afterMs }));
    outcomes[outcome] += 1;
  }
  const { value, cancelled, failed } = outcomes;
  context.diagnostic(
    `${awaits} awaits, ${runs} runs cancelled at one, the slowest in ${slowestMs.toFixed(0)} ms; ${AT_RANDOM} at a random time: ${cancelled} cancelled, ${value} returned, ${failed} failed`,
  );
  const end = performance.now();
  noteFigure("torture over foreign code", { count: runs + AT_RANDOM, unit: `runs over ${group}`, ms: end - started });
}

describe("Instrumented code over foreign code", () => {
  for (const group of GROUPS) {
    for (const [name, scenario] of Object.entries(groups.get(group)?.instrumented ?? {})) {
      it(`leaves nothing, whenever it is cancelled: ${group}: ${name}`, (context) => torture(group, scenario, context));
    }
  }
});

const postgres = await Postgres.start();
// Of the file, not of its tests below: those may be left out.
after(() => (typeof postgres === "string" ? undefined : postgres[Symbol.asyncDispose]()));
const skip = typeof postgres === "string" ? `not tried: ${postgres}` : false;

describe("Instrumented code over pg", { skip }, () => {
  const { plain, instrumented } = groups.get("database") ?? assert.fail("the scenarios are loaded");
  const pool = new Pool({
    host: typeof postgres === "string" ? "" : postgres.folder,
    user: "postgres",
    max: 3,
    idleTimeoutMillis: 0,
  });
  before(async () => {
    await pool.query("create table entries (id uuid not null, part text not null)");
    const url = new URL("../foreign/scenarios/database.ts", import.meta.url).href;
    for (const file of [`${url}?plain`, url]) ((await import(file)) as typeof databases).database.pool = pool;
    // All its connections: they stay open, and are no leftovers of a run.
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    for (const client of clients) client.release();
  });
  after(() => pool.end());
  for (const [name, scenario] of Object.entries(instrumented)) {
    it(`does the same as before, if it is not cancelled: ${name}`, async () => {
      const { value } = await attempt(scenario, place);
      assert.deepEqual(value, (await attempt(plain[name] ?? scenario, place)).value);
    });
    it(`leaves nothing, whenever it is cancelled: ${name}`, (context) => torture("pg", scenario, context));
  }
});
