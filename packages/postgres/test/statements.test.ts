import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";

import { run, timeout } from "meanwhile";

import type { ConnectOptions } from "../src/connect-options.ts";
import { settleConnect } from "../src/connect-settings.ts";
import { PostgresError, SqlError } from "../src/errors.ts";
import { ExecuteMany } from "../src/execute-many.ts";
import type { Link } from "../src/link.ts";
import { openLink } from "../src/open-link.ts";
import { Portal } from "../src/portal.ts";
import { LetGo, Prepare } from "../src/prepare.ts";
import { Execute, FetchRow, FetchRows, FetchValue } from "../src/query.ts";
import { Script } from "../src/script.ts";
import { Session } from "../src/session.ts";
import { Trace } from "../src/trace.ts";
import { startServer } from "./servers.ts";

/** Runs a test with a connection of its own. */
async function withLink(body: (link: Link) => Promise<void>, options: ConnectOptions = {}): Promise<void> {
  const server = await startServer();
  await run(async () => {
    const link = await openLink(settleConnect({ dsn: server.dsn, ...options }));
    try {
      await body(link);
    } finally {
      await link.close();
    }
  });
}

const value = <T>(text: string, ...args: unknown[]): FetchValue<T> => new FetchValue<T>(text, args);

/** How many statements the server has prepared for the connection. */
const PREPARED = "select count(*)::int from pg_prepared_statements";

describe("a query", () => {
  it("gives all rows, the first, the first value, or the count", async () => {
    await withLink(async (link) => {
      const text = "select i, 'n' || i as name from generate_series(1, $1::int) i";
      assert.deepEqual(await link.run(new FetchRows(text, [2])), [
        { i: 1, name: "n1" },
        { i: 2, name: "n2" },
      ]);
      assert.deepEqual(await link.run(new FetchRow(text, [2])), { i: 1, name: "n1" });
      assert.equal(await link.run(new FetchValue(text, [2])), 1);
      assert.equal(await link.run(new FetchRow(text, [0])), undefined);
      assert.equal(await link.run(new FetchValue(text, [0])), undefined);
      assert.deepEqual(await link.run(new Execute(text, [2])), { command: "SELECT", rowCount: 2 });
      assert.deepEqual(await link.run(new Execute("create temp table made (a int)", [])), {
        command: "CREATE TABLE",
        rowCount: 0,
      });
      assert.deepEqual(await link.run(new Execute("insert into made values ($1), (2)", [1])), {
        command: "INSERT",
        rowCount: 2,
      });
      assert.deepEqual(await link.run(new Execute("", [])), { command: "", rowCount: 0 });
    });
  });

  it("is parsed once for a connection", async () => {
    await withLink(async (link) => {
      const before = await link.run(value<number>(PREPARED));
      for (let i = 0; i < 3; i += 1) assert.equal(await link.run(value("select $1::int * 2", i)), i * 2);
      assert.equal(await link.run(value(PREPARED)), (before ?? 0) + 1);
    });
  });

  it("leaves no more statements prepared than the cache has room for", async () => {
    await withLink(
      async (link) => {
        for (let i = 0; i < 10; i += 1) await link.run(value(`select ${i}`));
        assert.ok(((await link.run(value<number>(PREPARED))) ?? 99) <= 4);
      },
      { statementCacheSize: 3 },
    );
  });

  it("keeps nothing prepared behind a PgBouncer", async () => {
    await withLink(
      async (link) => {
        for (let i = 0; i < 3; i += 1) assert.equal(await link.run(value("select $1::int", i)), i);
        const held = await link.run(new Prepare("select $1::int + 1"));
        assert.equal(await link.run(value(PREPARED)), 0);
        assert.equal(await link.run(new FetchValue(held.text, [1], held)), 2);
      },
      { pgBouncer: true },
    );
  });

  it("is prepared anew when the columns of its table have changed", async () => {
    await withLink(async (link) => {
      await link.run(new Script("create temp table changing (a int)"));
      await link.run(new Script("insert into changing values (1)"));
      assert.deepEqual(await link.run(new FetchRows("select * from changing", [])), [{ a: 1 }]);
      await link.run(new Script("alter table changing add column b text default 'x'"));
      assert.deepEqual(await link.run(new FetchRows("select * from changing", [])), [{ a: 1, b: "x" }]);
    });
  });

  it("is prepared anew when the server was told to forget it", async () => {
    await withLink(async (link) => {
      assert.equal(await link.run(value("select $1::int", 1)), 1);
      await link.run(new Script("do $$ begin execute 'deallocate all'; end $$")).catch(() => {});
      await link.run(new Script("select 1; deallocate all; select 2"));
      assert.equal(await link.run(value("select $1::int", 2)), 2);
    });
  });

  it("fails inside a transaction whose statement is out of date, and works after it", async () => {
    await withLink(async (link) => {
      // What a function does is not seen.
      const change = "execute 'alter table outdated add column b int'";
      await link.run(
        new Script(`create temp table outdated (a int);
          create function pg_temp.change() returns void language plpgsql as $$ begin ${change}; end $$`),
      );
      assert.deepEqual(await link.run(new FetchRows("select * from outdated", [])), []);
      await link.run(new Script("begin; select pg_temp.change()"));
      await assert.rejects(link.run(new FetchRows("select * from outdated", [])), {
        sqlstate: "0A000",
        message: /\(0A000\); what is known of the prepared statement is out of date; run the transaction again/,
      });
      await link.run(new Script("rollback; begin"));
      assert.deepEqual(await link.run(new FetchRows("select * from outdated", [])), []);
      await link.run(new Script("commit"));
    });
  });

  it("refuses a wrong number of arguments, and arguments of a wrong type, before they are sent", async () => {
    await withLink(async (link) => {
      for (const args of [[], [1, 2]]) {
        await assert.rejects(link.run(new FetchRows("select $1::int", args)), { code: "MW_ERR_PG_ARGUMENT_COUNT" });
      }
      await assert.rejects(link.run(value("select 1", 1)), {
        code: "MW_ERR_PG_ARGUMENT_COUNT",
        message: 'Cannot run "select 1": it has 0 parameters, and 1 argument was given',
      });
      await assert.rejects(link.run(value("select $1::int", "secret")), (error: Error & { code?: string }) => {
        assert.equal(error.code, "MW_ERR_PG_ARGUMENT_TYPE");
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
      assert.equal(link.status, "idle");
      assert.equal(link.transaction, "none");
    });
  });

  it("shows the SQLSTATE, the place and the kinds of the arguments, and no argument", async () => {
    await withLink(async (link) => {
      const error = await link.run(value("select $1::text,\n  nothing", "secret")).catch((caught: unknown) => caught);
      assert.ok(error instanceof SqlError);
      assert.equal(error.sqlstate, "42703");
      assert.equal(error.position, 20);
      assert.deepEqual(error.argumentTypes, ["string"]);
      assert.match(error.message, /column "nothing" does not exist \(42703\)\n  2 \| {3}nothing\n    \| {3}\^$/);
      const cast = await link.run(value("select $1::text::int", "secret")).catch((caught: unknown) => caught);
      assert.ok(cast instanceof SqlError);
      assert.match(cast.message, /a value cannot be read as its type \(22P02\)/);
      assert.match(cast.serverMessage, /invalid input syntax for type integer: "secret"/);
    });
  });

  it("shows no argument, however it has come into what the server says", async () => {
    const RAISE = `create function pg_temp.refuse(what text) returns int language plpgsql as
      $$ begin raise exception 'no %', what using hint = what; end $$`;
    const CASES: ReadonlyArray<readonly [text: string, argument: unknown]> = [
      ["select ($1::text[])[1]::int", ["sekret"]],
      ["select ($1::jsonb->>'a')::int", { a: "sekret" }],
      ["select $1::int[]", "{sekret}"],
      ["select $1::text[]", "{{sekret},{a,b}}"],
      ["select ('x' || $1::text)::int", "sekret"],
      ["select pg_temp.refuse($1)", "sekret"],
      ["select 'fits'::date + $1::int", 5],
    ];
    await withLink(async (link) => {
      await link.run(new Script(RAISE));
      for (const [text, argument] of CASES) {
        const error = await link.run(value(text, argument)).catch((caught: unknown) => caught);
        assert.ok(error instanceof SqlError, text);
        assert.match(error.sqlstate, /^(?:22|P0)/);
        assert.doesNotMatch(`${error.stack}${inspect(error)}${JSON.stringify(error)}`, /sekret/, text);
      }
      const raised = await link.run(value("select pg_temp.refuse('it')")).catch((caught: unknown) => caught);
      assert.ok(raised instanceof SqlError);
      assert.deepEqual([raised.serverMessage, raised.hint], ["no it", "it"]);
    });
  });

  it("shows no password that stands in a statement", async () => {
    await withLink(async (link) => {
      for (const text of [
        "alter role nobody_there password 'sekret'",
        "alter role nobody_there pasword = password  E'se\\'kret sekret'",
        "alter role nobody_there with encrypted password $x$sekret$x$ nonsense",
        "select dblink('host=h password=sekret')",
      ]) {
        const error = await link.run(new Script(text)).catch((caught: unknown) => caught);
        assert.ok(error instanceof SqlError, text);
        assert.match(error.statement, /\*\*\*/);
        assert.doesNotMatch(`${error.stack}${inspect(error)}`, /kret/, text);
      }
    });
  });

  it("shows none either where it was not run", async () => {
    await withLink(async (link) => {
      const running = link.run(new Script("select 'password=canary', pg_sleep(0.02)"));
      const secret = "copy (select 'password=canary') to stdout";
      const busy: unknown = await link.run(new Script(secret)).catch((thrown: unknown) => thrown);
      await running;
      const copy: unknown = await link.run(new Script(secret)).catch((thrown: unknown) => thrown);
      assert.deepEqual(
        [busy, copy].map((error) => error instanceof PostgresError && error.code),
        ["MW_ERR_PG_BUSY", "MW_ERR_PG_COPY"],
      );
      for (const error of [busy, copy]) assert.doesNotMatch(inspect(error), /canary/);
      assert.doesNotMatch(new Script(secret).describe(), /canary/);
      const session = new Session(link, new Trace(undefined));
      session.end("was closed");
      await assert.rejects(
        session.run(() => new Script(secret)),
        (error) => !inspect(error).includes("canary"),
      );
    });
  });

  it("has the constraint that was violated, and its detail only for who asks", async () => {
    await withLink(async (link) => {
      await link.run(new Script("create temp table once (mail text constraint one_mail unique)"));
      await link.run(new Execute("insert into once values ($1)", ["a@example.org"]));
      const error = await link
        .run(new Execute("insert into once values ($1)", ["a@example.org"]))
        .catch((caught: unknown) => caught);
      assert.ok(error instanceof SqlError);
      assert.equal(error.constraint, "one_mail");
      assert.equal(error.table, "once");
      assert.match(error.detail ?? "", /a@example\.org/);
      assert.doesNotMatch(`${error.stack}${JSON.stringify(error)}`, /a@example/);
    });
  });

  it("says where the caller stood when it fails", async () => {
    await withLink(async (link) => {
      const caller = async (): Promise<unknown> => await link.run(value("select 1 / 0"));
      const error = await caller().catch((caught: Error) => caught);
      assert.match(String((error as Error).stack), /at async caller/);
    });
  });

  it("reports a parser that throws, and stays usable", async () => {
    const parse = (text: string): never => {
      throw new TypeError(`cannot parse ${text}\n    at ${text}`);
    };
    await withLink(
      async (link) => {
        const text = "select 'can' || 'ary' as secret from generate_series(1, 3)";
        const error: unknown = await link.run(new FetchRows(text, [])).catch((thrown: unknown) => thrown);
        assert.ok(error instanceof PostgresError);
        assert.equal(error.code, "MW_ERR_PG_VALUE");
        // Where it was thrown is there, and what it says, which may be a value, is not.
        const { cause } = error;
        assert.ok(cause instanceof Error);
        assert.match(cause.stack ?? "", /^TypeError: What it says is left out.*\n {4}at .*statements\.test\.ts/);
        assert.doesNotMatch(inspect(error, { showHidden: true }), /canary/);
        assert.equal(await link.run(value("select 1")), 1);
      },
      { types: { text: parse } },
    );
  });

  it("shows nothing of a document that is none", async () => {
    await withLink(
      async (link) => {
        const encode = link.run(new FetchRows("select $1::text", ["canary"]));
        const error: unknown = await encode.catch((thrown: unknown) => thrown);
        assert.ok(error instanceof PostgresError);
        assert.equal(error.code, "MW_ERR_PG_ARGUMENT_TYPE");
        assert.doesNotMatch(inspect(error, { showHidden: true }), /canary/);
        const decoded = link.run(new FetchRows("select 'can' || 'ary' as doc", []));
        const unread: unknown = await decoded.catch((thrown: unknown) => thrown);
        assert.doesNotMatch(inspect(unread, { showHidden: true }), /canary/);
        assert.match(inspect(unread), /SyntaxError/);
      },
      { types: { text: { encode: (given) => JSON.parse(String(given)), parse: (text) => JSON.parse(text) } } },
    );
  });

  it("refuses a COPY out that nobody reads, and names what reads it", async () => {
    await withLink(async (link) => {
      const text = "copy (select generate_series(1, 10000)) to stdout";
      const operations = [
        new FetchRows(text, []),
        new FetchValue(text, []),
        new Execute(text, []),
        new Script(text),
        new Script(`select 1; ${text}`),
      ];
      for (const operation of operations) {
        await assert.rejects(link.run<unknown>(operation), {
          code: "MW_ERR_PG_COPY",
          message: /pass it to copyTo\(\)/,
        });
        assert.equal(await link.run(value("select 1")), 1);
      }
    });
  });

  it("refuses a COPY that nobody feeds", async () => {
    await withLink(async (link) => {
      await link.run(new Script("create temp table fed (a int)"));
      for (const operation of [new Execute("copy fed from stdin", []), new Script("copy fed from stdin")]) {
        await assert.rejects(link.run(operation), { code: "MW_ERR_PG_SQL", sqlstate: "57014" });
        assert.equal(await link.run(value("select 1")), 1);
      }
    });
  });
});

describe("a held statement", () => {
  it("outlives its place in the cache, and the server forgets it when it is let go", async () => {
    await withLink(
      async (link) => {
        const held = await link.run(new Prepare("select $1::int + 1"));
        assert.deepEqual(held.parameters, [23]);
        for (let i = 0; i < 5; i += 1) await link.run(value(`select ${i}`));
        assert.equal(await link.run(new FetchValue(held.text, [1], held)), 2);
        const count = await link.run(value<number>(PREPARED));
        await link.run(new LetGo(held));
        assert.ok(((await link.run(value<number>(PREPARED))) ?? 99) < (count ?? 0) + 1);
        const names = await link.run(
          new FetchRows<{ statement: string }>("select statement from pg_prepared_statements", []),
        );
        assert.ok(!names.some(({ statement }) => statement === held.text));
      },
      { statementCacheSize: 1 },
    );
  });
});

describe("executeMany", () => {
  it("runs a statement for each list of arguments", async () => {
    await withLink(async (link) => {
      await link.run(new Script("create temp table many (a int, b text)"));
      const lists = Array.from({ length: 5_000 }, (_, i) => [i, `row ${i}`]);
      assert.equal(await link.run(new ExecuteMany("insert into many values ($1, $2)", lists)), 5_000);
      assert.equal(await link.run(value("select sum(a) from many")), 12_497_500n);
      assert.equal(await link.run(new ExecuteMany("insert into many values ($1, $2)", [])), 0);
    });
  });

  it("does all or nothing, and says which list was wrong", async () => {
    await withLink(async (link) => {
      await link.run(new Script("create temp table many (a int, b text)"));
      const lists = (wrong: unknown): unknown[][] =>
        Array.from({ length: 20_000 }, (_, i) => [i === 15_000 ? wrong : 1, "x".repeat(20)]);
      const text = "insert into many values (10 / $1::int, $2)";
      await assert.rejects(link.run(new ExecuteMany(text, lists(0))), { sqlstate: "22012", index: 15_000 });
      await assert.rejects(link.run(new ExecuteMany(text, lists({}))), {
        code: "MW_ERR_PG_ARGUMENT_TYPE",
        message: /with the arguments at index 15000/,
      });
      assert.equal(await link.run(value("select count(*) from many")), 0n);
      assert.equal(link.transaction, "none");
    });
  });

  it("sends nothing if the first list is wrong", async () => {
    await withLink(async (link) => {
      await link.run(new Script("begin"));
      await assert.rejects(link.run(new ExecuteMany("select $1::int", [[1], ["x"]])), {
        code: "MW_ERR_PG_ARGUMENT_TYPE",
      });
      assert.equal(link.transaction, "active");
      await link.run(new Script("commit"));
    });
  });

  it("does nothing if its task is cancelled on the way", async () => {
    await withLink(async (link) => {
      await link.run(new Script("create temp table many (a int, b text)"));
      function* endless(): Generator<unknown[]> {
        for (;;) yield [1, "x".repeat(1_000)];
      }
      await assert.rejects(
        timeout(30, () => link.run(new ExecuteMany("insert into many values ($1, $2)", endless()))),
        { code: "MW_ERR_TIMEOUT" },
      );
      assert.equal(link.status, "idle");
      assert.equal(await link.run(value("select count(*) from many")), 0n);
    });
  });

  it("fails with what the iterable throws", async () => {
    await withLink(async (link) => {
      function* broken(): Generator<unknown[]> {
        yield [1];
        throw new RangeError("no more");
      }
      await assert.rejects(link.run(new ExecuteMany("select $1::int", broken())), {
        name: "RangeError",
        message: "no more",
      });
      assert.equal(link.status, "idle");
    });
  });
});

describe("a portal", () => {
  it("gives rows some at a time, while other statements run", async () => {
    await withLink(async (link) => {
      await link.run(new Script("begin"));
      const portal = new Portal<{ i: number }>("select i from generate_series(1, $1::int) i", [25]);
      let batch = await link.run(portal.open(10));
      const seen = batch.rows.map(({ i }) => i);
      while (!batch.isLast) {
        assert.equal(await link.run(value("select 1")), 1);
        batch = await link.run(portal.fetch(10));
        seen.push(...batch.rows.map(({ i }) => i));
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 25 }, (_, i) => i + 1),
      );
      await link.run(portal.close());
      await link.run(new Script("commit"));
    });
  });
});
