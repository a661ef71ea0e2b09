// `pg` with its pool.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";

import { shield } from "meanwhile";
import type { Pool, PoolClient } from "pg";

import type { Activity } from "../activity.ts";
import type { Scenario } from "../driver.ts";
import type { World } from "../world.ts";

/** The pool of the test; its database has a table `entries`. */
export const database: { pool: Pool | null } = { pool: null };

function poolOf(world: World): Pool {
  const pool = database.pool as Pool;
  world.afterwards(async () => {
    assert.deepEqual({ idle: pool.idleCount, waiting: pool.waitingCount }, { idle: pool.totalCount, waiting: 0 });
    const { rows } = await pool.query<{ open: number; odd: number }>(
      `select (select count(*)::int from pg_stat_activity where state like 'idle in transaction%') as open,
              (select count(*)::int from (select id from entries group by id having count(*) <> 2) as halves) as odd`,
    );
    assert.deepEqual(rows, [{ open: 0, odd: 0 }]);
  });
  return pool;
}

/** A client that goes back into the pool. */
async function withClient<T>(
  around: Activity,
  pool: Pool,
  use: (client: PoolClient, me: Activity) => Promise<T>,
): Promise<T> {
  // Not lost, if it comes together with the cancellation.
  const client = await shield(() => pool.connect());
  const me = around.begins("client");
  try {
    return await use(client, me);
  } finally {
    me.cleansUp();
    client.release();
    me.ends();
  }
}

async function transaction<T>(around: Activity, client: PoolClient, body: () => Promise<T>): Promise<T> {
  const me = around.begins("transaction");
  let isDone = false;
  try {
    await client.query("begin");
    const value = await body();
    await client.query("commit");
    isDone = true;
    return value;
  } finally {
    me.cleansUp();
    if (!isDone) await client.query("rollback");
    me.ends();
  }
}

function insertTwice(around: Activity, pool: Pool): Promise<string> {
  return withClient(around, pool, (client, me) =>
    transaction(me, client, async () => {
      const id = randomUUID();
      await client.query("insert into entries values ($1, 'first')", [id]);
      await client.query("insert into entries values ($1, 'second')", [id]);
      return "inserted";
    }),
  );
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  "queries of a pool": {
    run: async (world) => {
      const pool = poolOf(world);
      const { rows } = await pool.query<{ sum: number }>("select 1 + 1 as sum");
      const more = await Promise.all([1, 2, 3, 4].map((n) => pool.query<{ n: number }>("select $1::int as n", [n])));
      return [...rows, ...more.flatMap((result) => result.rows)];
    },
  },
  "a transaction": { run: (world) => insertTwice(world.root, poolOf(world)) },
  "transactions that wait for a client": {
    run: async (world) => {
      const pool = poolOf(world);
      const me = world.root.begins("all");
      try {
        return await Promise.all([1, 2, 3, 4].map(() => insertTwice(me, pool)));
      } finally {
        me.cleansUp();
        me.ends();
      }
    },
  },
  "transactions that wait for a lock": {
    run: async (world) => {
      const pool = poolOf(world);
      const me = world.root.begins("all");
      const locked = (): Promise<string> =>
        withClient(me, pool, (client, owner) =>
          transaction(owner, client, async () => {
            await client.query("lock table entries in exclusive mode");
            await client.query("select pg_sleep(0.001)");
            return "locked";
          }),
        );
      try {
        return await Promise.all([locked(), locked()]);
      } finally {
        me.cleansUp();
        me.ends();
      }
    },
  },
  notifications: {
    run: async (world) => {
      const pool = poolOf(world);
      return withClient(world.root, pool, async (client, owner) => {
        const me = owner.begins("listener");
        const controller = new AbortController();
        try {
          await client.query("listen news");
          const told = once(client, "notification", { signal: controller.signal });
          told.catch(() => {});
          await pool.query("notify news, 'hello'");
          const [{ payload }] = (await told) as [{ payload: string }];
          return payload;
        } finally {
          me.cleansUp();
          controller.abort();
          await client.query("unlisten news");
          me.ends();
        }
      });
    },
  },
};
