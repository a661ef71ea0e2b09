import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { run, timeout } from "meanwhile";

import { settleConnect } from "../src/connect-settings.ts";
import { CopyIn } from "../src/copy-in.ts";
import { CopyOut } from "../src/copy-out.ts";
import type { Link } from "../src/link.ts";
import { openLink } from "../src/open-link.ts";
import { FetchValue } from "../src/query.ts";
import { Script } from "../src/script.ts";
import { startServer } from "./servers.ts";

/** Runs a test with a connection of its own that has a table. */
async function withTable(body: (link: Link) => Promise<void>): Promise<void> {
  const server = await startServer();
  await run(async () => {
    const link = await openLink(settleConnect(server.dsn));
    try {
      await link.run(new Script("create temp table copied (a int, b text)"));
      await body(link);
    } finally {
      await link.close();
    }
  });
}

const count = async (link: Link): Promise<unknown> =>
  await link.run(new FetchValue("select count(*)::int from copied", []));

async function start(link: Link): Promise<CopyIn> {
  const copy = new CopyIn(link, "copy copied from stdin");
  await copy.start();
  return copy;
}

describe("a copy into the server", () => {
  it("stores what is written, texts and bytes, in pieces of any size", async () => {
    await withTable(async (link) => {
      const copy = await start(link);
      await copy.write("1\tone\n2\t");
      await copy.write(new TextEncoder().encode("zwö\n"));
      await copy.write(`3\t${"x".repeat(1_000_000)}\n`);
      assert.equal(await copy.finish(), 3);
      assert.equal(await link.run(new FetchValue("select sum(length(b))::int from copied", [])), 1_000_006);
    });
  });

  it("stores nothing if it is given up", async () => {
    await withTable(async (link) => {
      const copy = await start(link);
      await copy.write("1\tone\n");
      await copy.fail("changed my mind");
      assert.equal(link.status, "idle");
      assert.equal(await count(link), 0);
    });
  });

  it("fails with what the server has against a row", async () => {
    await withTable(async (link) => {
      const copy = await start(link);
      await copy.write("one\tone\n");
      await assert.rejects(copy.finish(), { code: "MW_ERR_PG_SQL", sqlstate: "22P02" });
      assert.equal(await count(link), 0);
    });
  });

  it("fails on the way if the server has had enough", async () => {
    await withTable(async (link) => {
      const copy = await start(link);
      await assert.rejects(
        async () => {
          for (;;) await copy.write(`one\t${"x".repeat(10_000)}\n`);
        },
        { code: "MW_ERR_PG_SQL" },
      );
      await copy.fail("it has failed");
      assert.equal(await count(link), 0);
    });
  });

  it("leaves nothing behind when its task is cancelled", async () => {
    await withTable(async (link) => {
      await assert.rejects(
        timeout(20, async () => {
          const copy = await start(link);
          try {
            for (;;) await copy.write(`1\t${"x".repeat(10_000)}\n`);
          } finally {
            await copy.fail("cancelled");
          }
        }),
        { code: "MW_ERR_TIMEOUT" },
      );
      assert.equal(link.status, "idle");
      assert.equal(await count(link), 0);
    });
  });

  it("waits for a lock no longer than its task may", async () => {
    await withTable(async (link) => {
      const server = await startServer();
      const other = await openLink(settleConnect(server.dsn));
      await other.run(new Script("drop table if exists held; create table held (a int)"));
      await other.run(new Script("begin; lock table held"));
      await assert.rejects(
        timeout(20, async () => {
          await new CopyIn(link, "copy held from stdin").start();
        }),
        { code: "MW_ERR_TIMEOUT" },
      );
      assert.equal(link.status, "idle");
      await other.close();
    });
  });

  it("refuses a statement that is no copy", async () => {
    await withTable(async (link) => {
      await assert.rejects(new CopyIn(link, "select 1").start(), { code: "MW_ERR_PG_COPY" });
      assert.equal(link.status, "idle");
      const wrongWay = new CopyIn(link, "copy copied to stdout");
      await assert.rejects(wrongWay.start(), { code: "MW_ERR_PG_COPY" });
      assert.equal(link.status, "idle");
    });
  });
});

describe("a copy out of the server", () => {
  const LARGE = "copy (select i, repeat('x', 1000) from generate_series(1, 20000) i) to stdout";

  it("gives all bytes, then null", async () => {
    await withTable(async (link) => {
      const copy = new CopyOut(link, "copy (select i from generate_series(1, 3) i) to stdout");
      copy.start();
      const chunks: Uint8Array[] = [];
      for (let chunk = await copy.read(); chunk !== null; chunk = await copy.read()) chunks.push(chunk);
      assert.equal(Buffer.concat(chunks).toString(), "1\n2\n3\n");
      assert.equal(link.status, "idle");
    });
  });

  it("holds the server up while nobody reads", async () => {
    await withTable(async (link) => {
      const copy = new CopyOut(link, LARGE);
      copy.start();
      await copy.read();
      // Time in which much more would come, if it were not held up.
      for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setTimeout(resolve, 5));
      const waiting = (await copy.read())?.length ?? 0;
      assert.ok(waiting < 1_000_000, `${waiting} bytes were waiting`);
      let bytes = 0;
      for (let chunk = await copy.read(); chunk !== null; chunk = await copy.read()) bytes += chunk.length;
      assert.ok(bytes > 10_000_000);
    });
  });

  it("ends when it is closed, and the connection can be used", async () => {
    await withTable(async (link) => {
      const copy = new CopyOut(link, LARGE);
      copy.start();
      await copy.read();
      await copy.close();
      assert.equal(link.status, "idle");
      assert.equal(await count(link), 0);
      await copy.close();
    });
  });

  it("ends when its task is cancelled, also while the server is held up", async () => {
    await withTable(async (link) => {
      const copy = new CopyOut(link, LARGE);
      await assert.rejects(
        timeout(10, async () => {
          copy.start();
          try {
            for (;;) {
              await copy.read();
              await new Promise((resolve) => setTimeout(resolve, 5));
            }
          } finally {
            await copy.close();
          }
        }),
        { code: "MW_ERR_TIMEOUT" },
      );
      assert.equal(link.status, "idle");
      assert.equal(await count(link), 0);
    });
  });

  it("fails with the error of the server", async () => {
    await withTable(async (link) => {
      const copy = new CopyOut(link, "copy (select 1 / (3 - i) from generate_series(1, 5) i) to stdout");
      copy.start();
      await assert.rejects(
        async () => {
          while ((await copy.read()) !== null);
        },
        { sqlstate: "22012" },
      );
      assert.equal(link.status, "idle");
    });
  });

  it("refuses a statement that is no copy", async () => {
    await withTable(async (link) => {
      for (const text of ["select 1", "copy copied from stdin"]) {
        const copy = new CopyOut(link, text);
        copy.start();
        await assert.rejects(copy.read());
        assert.equal(link.status, "idle");
      }
    });
  });
});
