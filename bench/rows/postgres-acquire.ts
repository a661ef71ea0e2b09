// Row 6e: what it costs to have a connection of a pool that is free.

import { microsecondsEach } from "../harness/measuring.ts";
import { address, CONNECTIONS, postgres } from "../harness/postgres.ts";
import type { Measured, Row } from "../harness/row.ts";

const TURNS = 20_000;

function perTurn(turn: () => Promise<unknown>): Promise<Measured> {
  return microsecondsEach(TURNS, async () => {
    for (let done = 0; done < TURNS; done += 1) await turn();
  });
}

async function nothing(): Promise<Measured> {
  const ready = Promise.resolve();
  return perTurn(async () => {
    await ready;
    await ready;
  });
}

async function ours(): Promise<Measured> {
  const [{ run }, { createPool }] = await Promise.all([import("meanwhile"), import("@meanwhile/postgres")]);
  return run(async () => {
    await using pool = createPool({ ...address(), maxSize: CONNECTIONS });
    return await perTurn(async () => {
      await using _connection = await pool.acquire();
    });
  });
}

async function pg(): Promise<Measured> {
  const { default: driver } = await import("pg");
  const pool = new driver.Pool({ ...address(), max: CONNECTIONS });
  const measured = await perTurn(async () => {
    const client = await pool.connect();
    client.release();
  });
  await pool.end();
  return measured;
}

async function postgresJs(): Promise<Measured> {
  const { default: connect } = await import("postgres");
  const sql = connect({ ...address(), max: CONNECTIONS });
  const measured = await perTurn(async () => {
    const reserved = await sql.reserve();
    reserved.release();
  });
  await sql.end();
  return measured;
}

export const row: Row = {
  name: "postgres-acquire",
  title: "PostgreSQL, acquire and release of a free connection",
  about:
    "One loop takes a connection and gives it back, 20 000 times, with nobody else in the pool and no query in between. Ours is taken with `await using`, so that it is given back at the end of the block and waited for; nothing is two awaits of a promise that is resolved. Ours notes the line of an acquire for up to 100 000 a second, which this loop exceeds: about nine in ten are not noted, and one that is noted costs about 1.3 µs more. asyncpg asks the server to reset the session at each release, which is a round trip.",
  figures: [{ key: "wall", label: "µs per turn", better: "less" }],
  server: postgres,
  peers: [
    { kind: "node", name: "nothing", packages: [], measure: nothing },
    { kind: "node", name: "pg", packages: ["pg"], measure: pg },
    { kind: "node", name: "meanwhile", ours: true, packages: ["@meanwhile/postgres"], measure: ours },
    { kind: "node", name: "postgres.js", packages: ["postgres"], measure: postgresJs },
    {
      kind: "python",
      name: "asyncpg + uvloop",
      script: "postgres.py",
      args: ["uvloop", "acquire"],
      modules: ["asyncpg", "uvloop"],
    },
  ],
  targets: [
    { ours: "meanwhile", beside: "nothing", figure: "wall", compares: "added", limit: 2 },
    { ours: "meanwhile", beside: "pg", figure: "wall", compares: "speed", limit: 1 },
  ],
};
