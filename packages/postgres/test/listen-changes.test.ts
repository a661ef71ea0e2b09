// A connection that listens, and what else its user does with it.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { run } from "meanwhile";

import { connect } from "../src/connect.ts";
import type { Connection } from "../src/connection.ts";
import { createPool } from "../src/create-pool.ts";
import type { Listener, NotificationEvent } from "../src/listener.ts";
import { startServer } from "./servers.ts";

async function withConnection(body: (connection: Connection) => Promise<void>): Promise<void> {
  const { dsn } = await startServer();
  await run(async () => {
    await using connection = await connect({ dsn });
    await body(connection);
  });
}

const payload = ({ value }: IteratorResult<NotificationEvent, undefined>): string | undefined =>
  value?.kind === "notification" ? value.payload : value?.kind;

async function isHeard(connection: Connection, listener: Listener): Promise<void> {
  await listener.ready();
  await connection.notify("news", "heard");
  assert.equal(payload(await listener.next()), "heard");
}

const LOST = { code: "MW_ERR_PG_TRANSACTION", message: /does not listen any more/ };
const undone = new Error("undo");

/** Lets go on what was begun. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("listening on a connection", () => {
  it("begins anew where its beginning was rolled back", async () => {
    await withConnection(async (connection) => {
      await using listener = connection.listen("news");
      const failing = connection.transaction(async () => {
        await listener.ready();
        throw undone;
      });
      await assert.rejects(failing, undone);
      await isHeard(connection, listener);
    });
  });

  it("begins anew where its beginning was rolled back to a savepoint", async () => {
    await withConnection(async (connection) => {
      await using listener = connection.listen("news");
      await connection.transaction(async () => {
        const inner = connection.transaction(async () => {
          await listener.ready();
          throw undone;
        });
        await assert.rejects(inner, undone);
      });
      await isHeard(connection, listener);
    });
  });

  it("is heard after the commit of the transaction it was begun in, whatever is rolled back later", async () => {
    await withConnection(async (connection) => {
      await using listener = connection.listen("news");
      await connection.transaction(() => listener.ready());
      const next = listener.next();
      await turn();
      await connection.execute("begin");
      await connection.execute("rollback");
      await connection.notify("news", "still");
      assert.equal(payload(await next), "still");
    });
  });

  it("throws for one who waits when nothing can be heard any more, and the next call listens again", async () => {
    await withConnection(async (connection) => {
      await using listener = connection.listen("news");
      for (const end of ["unlisten *", "discard all"]) {
        await listener.ready();
        const next = assert.rejects(listener.next(), LOST);
        await turn();
        await connection.execute(end);
        await next;
        await isHeard(connection, listener);
      }
      await connection.execute("unlisten *");
      await connection.execute("begin");
      await listener.ready();
      const next = assert.rejects(listener.next(), LOST);
      await turn();
      await connection.execute("rollback");
      await next;
      await isHeard(connection, listener);
    });
  });

  it("hears what the connection itself notifies, when that is committed", async () => {
    await withConnection(async (connection) => {
      await using listener = connection.listen("news");
      await listener.ready();
      await connection.transaction(async () => {
        await connection.notify("news");
        await connection.notify("news", "two");
      });
      assert.equal(payload(await listener.next()), "");
      assert.equal(payload(await listener.next()), "two");
      await assert.rejects(connection.notify(""), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
    });
  });
});

describe("listening with a pool", () => {
  it("refuses a second call of next() also before it has begun, and the first one is not forgotten", async () => {
    const { dsn } = await startServer();
    await run(async () => {
      await using pool = createPool({ dsn });
      await using listener = pool.listen("news");
      const first = listener.next();
      await assert.rejects(listener.next(), { code: "MW_ERR_PG_BUSY" });
      await listener.ready();
      await pool.notify("news", "first");
      assert.equal(payload(await first), "first");
      const second = listener.next();
      await assert.rejects(listener.next(), { code: "MW_ERR_PG_BUSY" });
      await listener.return();
      assert.equal((await second).done, true);
    });
  });
});
