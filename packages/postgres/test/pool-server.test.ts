// What becomes of a pool whose server has no room, or has ended.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { gather, run, sleep } from "meanwhile";

import { createPool } from "../src/create-pool.ts";
import { readPostmaster } from "../src/embedded-data.ts";
import { PoolTimeoutError } from "../src/errors.ts";
import type { Pool } from "../src/pool.ts";
import { startOwnServer, type TestServer } from "./servers.ts";

/** A server with room for so many connections, and none for its superuser beside them. */
function startSmallServer(room: number): Promise<TestServer> {
  return startOwnServer({ settings: { superuser_reserved_connections: "0", max_connections: String(room) } });
}

describe("a pool whose server has no room for more", () => {
  it("lets who wants a connection wait for one of those there are", async () => {
    await using server = await startSmallServer(5);
    await run(async () => {
      await using pool = createPool({ dsn: server.dsn, maxSize: 20 });
      const job = (): Promise<unknown> => pool.fetchValue("select 1 from pg_sleep(0.01)");
      const results = await gather(Array.from({ length: 20 }, () => job));
      assert.deepEqual(new Set(results), new Set([1]));
      assert.equal(pool.statistics().opened <= 5, true);
    });
  });

  it("says so when none comes free in time, and when it has none itself", async () => {
    await using server = await startSmallServer(4);
    await run(async () => {
      await using pool = createPool({ dsn: server.dsn, maxSize: 10 });
      const held = await takeAll(pool);
      await assert.rejects(pool.acquire({ timeoutMs: 50 }), (error: unknown) => {
        assert.ok(error instanceof PoolTimeoutError);
        assert.match(error.message, /the server has no room for another one, .* raise 'max_connections' of the server/);
        assert.equal(error.holders.length, held.length);
        assert.ok(error.cause instanceof Error);
        return true;
      });
      await using other = createPool({ dsn: server.dsn });
      await assert.rejects(other.fetch("select 1"), { code: "MW_ERR_PG_CONNECT", sqlstate: "53300" });
      for (const connection of held) await connection.release();
      assert.equal(await pool.fetchValue("select 1"), 1);
    });
  });

  it("opens another one when there is room again", async () => {
    await using server = await startSmallServer(4);
    await run(async () => {
      await using other = createPool({ dsn: server.dsn, maxSize: 3 });
      const taken = await takeAll(other, 3);
      await using pool = createPool({ dsn: server.dsn, maxSize: 10 });
      await using _held = await pool.acquire();
      const waiting = pool.fetchValue("select 1");
      while (pool.statistics().opening > 0) await sleep(1);
      for (const connection of taken) connection.terminate();
      assert.equal(await waiting, 1);
      assert.deepEqual(
        taken.map(({ isClosed }) => isClosed),
        [true, true, true],
      );
    });
  });
});

/** Takes connections until there is no more. */
async function takeAll(pool: Pool, most = Infinity): Promise<Array<Awaited<ReturnType<Pool["acquire"]>>>> {
  const held: Array<Awaited<ReturnType<Pool["acquire"]>>> = [];
  while (held.length < most) {
    try {
      held.push(await pool.acquire({ timeoutMs: 500 }));
    } catch (error) {
      if (error instanceof PoolTimeoutError) break;
      throw error;
    }
  }
  return held;
}

describe("a pool with a server of its own", () => {
  it("starts another one when that was killed", async () => {
    await run(async () => {
      await using pool = createPool({ embedded: { settings: { application_name: "killed" } } });
      const directory = await pool.fetchValue<string>("show data_directory");
      const before = readPostmaster(directory ?? "")?.pid;
      assert.ok(before !== undefined);
      process.kill(before, "SIGKILL");
      const now = (): Promise<unknown> => pool.fetchValue("show data_directory").catch(() => directory);
      // Its processes answer for a moment still.
      while ((await now()) === directory) await sleep(1);
      assert.equal(await pool.fetchValue("select 1"), 1);
    });
  });
});
