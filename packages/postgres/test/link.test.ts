import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { afterEach, describe, it } from "node:test";

import { cancellable, cancelScope, createTask, gather, race, run, timeout } from "meanwhile";

import type { ConnectOptions } from "../src/connect-options.ts";
import { settleConnect } from "../src/connect-settings.ts";
import { ConnectionLostError } from "../src/errors.ts";
import type { Link } from "../src/link.ts";
import { openLink } from "../src/open-link.ts";
import { FetchRows, FetchValue } from "../src/query.ts";
import { Script } from "../src/script.ts";
import { RESET_SQL } from "../src/session-state.ts";
import { startOwnServer, startServer } from "./servers.ts";

// What a test holds, and would keep the process from ending if it failed.
const held: Array<() => unknown> = [];
afterEach(() => held.splice(0).forEach((end) => end()));

async function open(options: ConnectOptions | string): Promise<Link> {
  const link = await openLink(settleConnect(options));
  held.push(() => link.destroy());
  return link;
}

/** Runs a test with a connection of its own. */
async function withLink(body: (link: Link) => Promise<void>, options: ConnectOptions = {}): Promise<void> {
  const server = await startServer();
  await run(async () => {
    const link = await open({ dsn: server.dsn, ...options });
    try {
      await body(link);
    } finally {
      await link.close();
    }
  });
}

const value = <T>(text: string, ...args: unknown[]): FetchValue<T> => new FetchValue<T>(text, args);

describe("a link", () => {
  it("knows whether it runs something, and in which transaction the server is", async () => {
    await withLink(async (link) => {
      assert.equal(link.status, "idle");
      const running = link.run(new FetchRows("select pg_sleep(0.01)", []));
      assert.equal(link.status, "busy");
      assert.equal(link.running, "select pg_sleep(0.01)");
      await running;
      assert.equal(link.transaction, "none");
      await link.run(new Script("begin"));
      assert.equal(link.transaction, "active");
      await assert.rejects(link.run(new Script("select 1 / 0")), { sqlstate: "22012" });
      assert.equal(link.transaction, "failed");
      await link.run(new Script("rollback"));
      assert.equal(link.transaction, "none");
      assert.ok(link.pid > 0);
      assert.match(link.parameters.get("server_version") ?? "", /^\d+/);
    });
  });

  it("refuses a second statement, and names both", async () => {
    await withLink(async (link) => {
      const running = link.run(value("select 1 where pg_sleep(0.01) is not null"));
      await assert.rejects(link.run(value("select 2")), {
        code: "MW_ERR_PG_BUSY",
        message: /^Cannot run "select 2": the connection is running "select 1 where/,
      });
      assert.equal(await running, 1);
    });
  });

  it("ends a statement whose task is cancelled, and serves the next one in the same transaction", async () => {
    await withLink(async (link) => {
      await link.run(new Script("begin"));
      await link.run(new Script("create temp table kept (a int)"));
      await link.run(new Script("savepoint here"));
      const began = performance.now();
      const ending = await cancelScope(async (scope) => {
        createTask(async () => scope.cancel());
        await link.run(new FetchRows("select pg_sleep(20)", []));
      });
      assert.equal(ending, undefined);
      assert.ok(performance.now() - began < 10_000);
      assert.equal(link.status, "idle");
      assert.equal(link.transaction, "failed");
      await link.run(new Script("rollback to here"));
      assert.equal(await link.run(value("select count(*) from kept")), 0n);
      await link.run(new Script("rollback"));
    });
  });

  it("ends a statement at the deadline around it", async () => {
    await withLink(async (link) => {
      await assert.rejects(
        timeout(20, () => link.run(new FetchRows("select pg_sleep(20)", []))),
        { code: "MW_ERR_TIMEOUT" },
      );
      assert.equal(await link.run(value("select 1")), 1);
      assert.equal(link.status, "idle");
    });
  });

  it("ends a statement that waits for a lock while it is being prepared", async () => {
    await withLink(async (link) => {
      await link.run(new Script("drop table if exists locked; create table locked (a int)"));
      await withLink(async (other) => {
        await other.run(new Script("begin; lock table locked"));
        await assert.rejects(
          timeout(20, () => link.run(new FetchRows("select * from locked where a = $1", [1]))),
          { code: "MW_ERR_TIMEOUT" },
        );
        assert.equal(link.status, "idle");
        await other.run(new Script("rollback"));
      });
      assert.deepEqual(await link.run(new FetchRows("select * from locked where a = $1", [1])), []);
    });
  });

  it("delivers a result that came before the cancellation", async () => {
    await withLink(async (link) => {
      const results: unknown[] = [];
      await cancelScope(async (scope) => {
        results.push(await link.run(value("select 1")));
        scope.cancel();
        await link.run(value("select 2"));
        results.push(2);
      });
      assert.deepEqual(results, [1]);
      assert.equal(link.status, "idle");
    });
  });

  it("never lets a late request to cancel hit the next statement", async () => {
    await withLink(async (link) => {
      for (let round = 0; round < 200; round += 1) {
        // The statement ends at about the moment at which it is cancelled.
        await race([
          () => link.run(value("select count(*) from generate_series(1, $1::int)", round * 10)),
          async () => await timeout(0, async () => {}).catch(() => {}),
        ]).catch(() => {});
        assert.equal(await link.run(value("select $1::int", round)), round);
      }
    });
  });

  it("waits for a request to cancel that is late, so that it hits nothing", async () => {
    const server = await startServer();
    let isAnswered = (): void => {};
    const answered = new Promise<void>((resolve) => (isAnswered = resolve));
    let count = 0;
    const proxy = createServer((client) => {
      count += 1;
      const isRequest = count === 2;
      const upstream = connect(server.port, "127.0.0.1");
      for (const socket of [client, upstream]) {
        socket.on("error", () => {});
        held.push(() => socket.destroy());
      }
      upstream
        .on("close", () => client.destroy())
        .on("data", (chunk: Buffer) => {
          client.write(chunk);
          if (count === 2) isAnswered();
        });
      client
        .on("close", () => upstream.destroy())
        .on("data", (chunk: Buffer) => {
          // The request goes on when the statement it is for has ended.
          const begun = isRequest ? answered : Promise.resolve();
          begun.then(
            () => upstream.write(chunk),
            () => {},
          );
        });
    }).listen(0, "127.0.0.1");
    held.push(() => proxy.close());
    await once(proxy, "listening");
    const { port } = proxy.address() as AddressInfo;
    await run(async () => {
      const link = await open({ dsn: server.tcpDsn, port, ssl: "disable" });
      await assert.rejects(
        timeout(1, () => link.run(value("select 1 from pg_sleep(0.05)"))),
        { code: "MW_ERR_TIMEOUT" },
      );
      for (let i = 0; i < 5; i += 1) assert.equal(await link.run(value("select 1 from pg_sleep(0.01)")), 1);
      assert.equal(count, 2);
    });
  });

  it("asks again if the server has not read the statement when it is asked first", async () => {
    await withLink(
      async (link) => {
        const text = "select 1 from pg_sleep($1::float8)";
        await timeout(1_000, () => link.run(value(text, 0)));
        process.kill(link.pid, "SIGSTOP");
        const ending = timeout(1, () => link.run(value(text, 20))).catch((error: unknown) => error);
        // Time for the first request, which reaches a process that has nothing to end.
        for (let i = 0; i < 10; i += 1) await new Promise((resolve) => setTimeout(resolve, 5));
        process.kill(link.pid, "SIGCONT");
        assert.equal(((await ending) as { code?: string }).code, "MW_ERR_TIMEOUT");
        assert.equal(link.status, "idle");
        assert.equal(await link.run(value("select 1")), 1);
      },
      // Less than after what the server ends it by itself.
      { cancelTimeoutMs: 1_500 },
    );
  });

  it("is broken, and its caller cancelled, if the server does not end the statement in time", async () => {
    const server = await startServer();
    await run(async () => {
      const lost: unknown[] = [];
      const link = await open({ dsn: server.dsn, cancelTimeoutMs: 10 });
      link.onLost = (error) => lost.push(error);
      // A server that is stopped answers nothing.
      process.kill(link.pid, "SIGSTOP");
      try {
        await assert.rejects(
          timeout(5, () => link.run(value("select 1"))),
          { code: "MW_ERR_TIMEOUT" },
        );
      } finally {
        process.kill(link.pid, "SIGCONT");
      }
      assert.equal(link.status, "broken");
      await assert.rejects(link.run(value("select 1")), { code: "MW_ERR_PG_CLOSED" });
      assert.deepEqual(lost, []);
    });
  });

  it("says that it was lost, to whoever waits, with the reason of the server", async () => {
    await withLink(async (other) => {
      const server = await startServer();
      const link = await open(server.dsn);
      const [error] = await gather([
        () => link.run(value("select 1 from pg_sleep(20)")).catch((caught: unknown) => caught),
        () => other.run(value("select pg_terminate_backend($1)", link.pid)),
      ]);
      assert.ok(error instanceof ConnectionLostError);
      assert.equal(error.sqlstate, "57P01");
      assert.equal(error.statement, "select 1 from pg_sleep(20)");
      assert.equal(link.status, "broken");
      await assert.rejects(link.run(value("select 1")), { code: "MW_ERR_PG_CONNECTION_LOST" });
    });
  });

  it("tells once that it was lost while nothing ran, and throws nothing", async () => {
    await withLink(async (other) => {
      const server = await startServer();
      const link = await open(server.dsn);
      const { promise, resolve } = Promise.withResolvers<unknown>();
      let count = 0;
      // Nothing else keeps the process alive here.
      link.keepAlive(true);
      link.onLost = (error) => {
        count += 1;
        resolve(error);
      };
      await other.run(value("select pg_terminate_backend($1)", link.pid));
      const error = await timeout(10_000, () => cancellable(promise));
      assert.ok(error instanceof ConnectionLostError);
      assert.equal(error.sqlstate, "57P01");
      assert.equal(link.status, "broken");
      await other.run(value("select 1"));
      assert.equal(count, 1);
    });
  });

  it("fails what runs when the server crashes", async () => {
    const server = await startOwnServer();
    await run(async () => {
      const link = await open(server.dsn);
      const running = link.run(value("select 1 from pg_sleep(20)")).catch((error: unknown) => error);
      await server.stop("immediate");
      assert.ok((await running) instanceof ConnectionLostError);
      assert.equal(link.status, "broken");
    });
  });

  it("fails whoever waits when it is destroyed", async () => {
    await withLink(async (link) => {
      const running = link.run(value("select 1 from pg_sleep(20)")).catch((error: unknown) => error);
      link.destroy();
      assert.equal(((await running) as { code?: string }).code, "MW_ERR_PG_CLOSED");
      assert.equal(link.status, "broken");
    });
  });

  it("tells of notifications and notices, whatever the one who is told does", async () => {
    await withLink(async (link) => {
      const told: unknown[] = [];
      link.onNotification = ({ channel, payload }) => told.push([channel, payload]);
      link.onNotice = ({ message }) => told.push(message);
      await link.run(new Script("listen news; notify news, 'now'"));
      await link.run(new Script("do $$ begin raise notice 'so it is'; end $$"));
      assert.deepEqual(told, [["news", "now"], "so it is"]);
    });
  });

  it("lets the server go when it is closed", async () => {
    await withLink(async (other) => {
      const server = await startServer();
      const link = await open(server.dsn);
      const { pid } = link;
      await link.close();
      assert.equal(link.status, "broken");
      const count = (): Promise<unknown> =>
        other.run(value("select count(*) from pg_stat_activity where pid = $1", pid));
      for (let tries = 1; (await count()) !== 0n; tries++) assert.ok(tries < 100_000);
      await assert.rejects(link.run(value("select 1")), { code: "MW_ERR_PG_CLOSED" });
    });
  });

  it("lets the server end a statement a little after the deadline, if nobody else can", async () => {
    const SHOW = "select current_setting('statement_timeout')";
    await withLink(async (link) => {
      assert.equal(await link.run(value(SHOW)), "0");
      assert.equal(await timeout(3_000, () => link.run(value(SHOW))), "4096ms");
      // What was told will do for what has less time.
      assert.equal(await timeout(2_000, () => timeout(9_000, () => link.run(value(SHOW)))), "4096ms");
      assert.equal(await timeout(60_000, () => link.run(value(SHOW))), "65536ms");
      assert.equal(await link.run(value(SHOW)), "0");
    });
    await withLink(async (link) => assert.equal(await timeout(60_000, () => link.run(value(SHOW))), "5s"), {
      serverSettings: { statement_timeout: "5s" },
    });
    await withLink(async (link) => assert.equal(await timeout(60_000, () => link.run(value(SHOW))), "0"), {
      pgBouncer: true,
    });
  });

  it("does not let the server end what has more time, in a transaction that was begun with less", async () => {
    const SHOW = "select current_setting('statement_timeout')";
    await withLink(async (link) => {
      await timeout(1_000, () => link.run(new Script("begin")));
      assert.equal(await timeout(1_000, () => link.run(value(SHOW))), "2048ms");
      assert.equal(await link.run(value(SHOW)), "0");
      await link.run(new Script("commit"));
      assert.equal(await timeout(1_000, () => link.run(value(SHOW))), "2048ms");
    });
  });

  it("leaves a timeout that a user has set", async () => {
    const SHOW = "select current_setting('statement_timeout')";
    await withLink(async (link) => {
      await timeout(1_000, () => link.run(new Script("set statement_timeout = '7s'")));
      assert.equal(await timeout(1_000, () => link.run(value(SHOW))), "7s");
      assert.equal(await link.run(value(SHOW)), "7s");
    });
  });

  it("leaves a timeout that a user has set with a function, or in a block, until the pool resets the connection", async () => {
    const SHOW = "select current_setting('statement_timeout')";
    const setters: Array<(link: Link) => Promise<unknown>> = [
      (link) => link.run(value("select set_config('statement_timeout', '7s', false)")),
      (link) => link.run(value("select set_config($1, '7s', false)", "statement_timeout")),
      (link) => link.run(value("select set_config(lower('STATEMENT_' || 'TIMEOUT'), '7s', false)")),
      (link) => link.run(new Script("do $$ begin perform set_config('statement_timeout', '7s', false); end $$")),
    ];
    for (const set of setters) {
      await withLink(async (link) => {
        await timeout(1_000, () => set(link));
        assert.equal(await timeout(60_000, () => link.run(value(SHOW))), "7s");
        assert.equal(await link.run(value(SHOW)), "7s");
        await link.run(new Script(RESET_SQL));
        assert.equal(await timeout(3_000, () => link.run(value(SHOW))), "4096ms");
        assert.equal(await link.run(value(SHOW)), "0");
      });
    }
    await withLink(async (link) => {
      await link.run(value("select set_config($1, '7', false)", "app.tenant"));
      assert.equal(await timeout(3_000, () => link.run(value(SHOW))), "4096ms");
    });
  });

  it("sends nothing for a statement whose arguments are wrong, and stays in step", async () => {
    await withLink(async (link) => {
      assert.equal(await link.run(value("select $1::int", 1)), 1);
      await assert.rejects(
        timeout(1_000, () => link.run(value("select $1::int", "x"))),
        { code: "MW_ERR_PG_ARGUMENT_TYPE" },
      );
      assert.equal(await link.run(value("select $1::int", 2)), 2);
    });
  });

  it("begins nothing for a task that is cancelled already", async () => {
    await withLink(async (link) => {
      const { queries } = link;
      await cancelScope(async (scope) => {
        scope.cancel();
        await link.run(value("select 1"));
      });
      assert.equal(link.queries, queries);
    });
  });
});
