import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";

import { connect, createPool, TRACE_CHANNEL, type TraceEvent } from "@meanwhile/postgres";
import { moveOnAfter } from "meanwhile";

import { expectWarning } from "../../../tools/test-setup.ts";
import { startServer } from "./servers.ts";

const kinds = (events: readonly TraceEvent[]): string => events.map(({ kind }) => kind).join(" ");

describe("The trace of a pool", () => {
  it("tells each step, over a new connection, and over a kept one", async () => {
    const { dsn } = await startServer();
    const events: TraceEvent[] = [];
    const pool = createPool({ dsn, trace: (event) => events.push(event) });
    await pool.fetch("select n from generate_series(1, $1::int) n", 3);
    assert.equal(kinds(events), "connect-start connect-end query-start query-end released");
    const pid = events[1]?.serverPid;
    assert.ok(events.slice(1).every(({ serverPid }) => serverPid === pid));
    assert.deepEqual([events[3]?.rows, events[3]?.statement], [3, "select n from generate_series(1, $1::int) n"]);
    events.length = 0;
    {
      await using connection = await pool.acquire();
      await connection.execute("set work_mem = '5MB'");
    }
    assert.equal(kinds(events), "acquired query-start query-end reset released");
    events.length = 0;
    await pool.fetch("select 1/0").catch(() => {});
    await moveOnAfter(20, () => pool.fetch("select pg_sleep(20)"));
    assert.equal(kinds(events), "query-start query-error released query-start query-error released");
    assert.deepEqual(
      events.filter(({ kind }) => kind === "query-error").map(({ error }) => (error as { code: string }).code),
      ["MW_ERR_PG_SQL", "MW_ERR_CANCELLED"],
    );
    events.length = 0;
    await pool.close();
    assert.deepEqual([kinds(events), events[0]?.reason], ["disconnected", "closed"]);
    await using nowhere = createPool({ host: "127.0.0.1", port: 1, trace: (event) => events.push(event) });
    await nowhere.fetch("select 1").catch(() => {});
    assert.equal(events.at(-1)?.kind, "connect-error");
  });

  it("has no arguments in it", async () => {
    const { dsn } = await startServer();
    const events: TraceEvent[] = [];
    await using pool = createPool({ dsn, trace: (event) => events.push(event) });
    await pool.fetch("select $1::text", "canary");
    await pool.fetch("select $1::int", "canary").catch(() => {});
    assert.doesNotMatch(JSON.stringify(events), /canary/);
  });

  it("has no password in it", async () => {
    const { dsn } = await startServer();
    const events: TraceEvent[] = [];
    await using pool = createPool({ dsn, trace: (event) => events.push(event) });
    await pool.execute("create role traced password 'canary'");
    await pool.execute("alter role nobody_there password 'canary'").catch(() => {});
    assert.match(JSON.stringify(events), /create role traced password '\*\*\*'/);
    assert.doesNotMatch(JSON.stringify(events), /canary/);
  });

  it("is published on a channel of the process, and told of single connections as well", async () => {
    const { dsn } = await startServer();
    const events: TraceEvent[] = [];
    const listener = (event: unknown): void => void events.push(event as TraceEvent);
    subscribe(TRACE_CHANNEL, listener);
    await using connection = await connect(dsn);
    await connection.fetchValue("select 1");
    unsubscribe(TRACE_CHANNEL, listener);
    await connection.fetchValue("select 2");
    assert.equal(kinds(events), "query-start query-end");
  });

  it("cannot break a call", async () => {
    await using warnings = expectWarning("MW_WARN_SUPPRESSED");
    const { dsn } = await startServer();
    await using pool = createPool({
      dsn,
      trace: ({ kind }) => {
        if (kind === "query-start") throw new RangeError("broken listener");
        return kind === "query-end" ? (Promise.reject(new RangeError("broken promise")) as never) : undefined;
      },
    });
    assert.equal(await pool.fetchValue("select 1"), 1);
    assert.match((await warnings.first()).message, /The trace of a pool failed/);
    for (let count = 0; count < 5; count++) await pool.fetchValue("select 1");
    await turn();
    assert.equal(warnings.seen.length, 1);
  });
});
