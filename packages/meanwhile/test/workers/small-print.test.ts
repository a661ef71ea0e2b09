import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { gather } from "meanwhile";
import { ProcessPool, SyncModule, WorkerPool } from "meanwhile/workers";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { JOBS, threads } from "./pools.ts";

describe("options that there are not", () => {
  it("are refused, with those there are", () => {
    const make: ReadonlyArray<() => unknown> = [
      () => new WorkerPool(JOBS, { thread: 5 } as never),
      () => new ProcessPool(JOBS, { resourceLimits: {} } as never),
      () => new SyncModule(JOBS, { timeout: 5 } as never),
      () => threads().start("add", [1, 2], { timeout: 5 } as never),
    ];
    for (const one of make) {
      assert.throws(one, {
        code: "MW_ERR_WORKER_INVALID_ARGUMENT",
        message: /there is no option ".*"; there are .*, /,
      });
    }
  });
});

describe("code that a worker runs before its first job", () => {
  it("may block", async () => {
    const module = new URL("./modules/blocks.ts", import.meta.url);
    const options = { threads: 1, initializer: { name: "setUp" } };
    await using pool = new WorkerPool<typeof import("./modules/blocks.ts")>(module, options);
    assert.deepEqual(await pool.call("sumsSoFar"), [3, 7]);
  });
});

describe("the path to what cannot be cloned", () => {
  it("is cut in the middle if it is long", async () => {
    await using pool = threads();
    let deep: object = { save: () => 1 };
    for (let i = 0; i < 2_000; i++) deep = { inner: deep };
    const error = (await pool.call("echo", deep).catch((thrown: unknown) => thrown)) as Error;
    assert.match(error.message, /args\[0\]\.inner\.inner.* … .*\.inner\.save is a function/);
    assert.ok(error.message.length < 500, error.message);
  });
});

describe("a worker that cannot be started while another one works", () => {
  it("is tried again only later, with a warning", async () => {
    const folder = mkdtempSync(join(tmpdir(), "meanwhile-starts-"));
    const file = join(folder, "started");
    try {
      const module = new URL("./modules/starts-once.ts", import.meta.url);
      const env = { ...process.env, MEANWHILE_TEST_STARTS: file };
      await using warnings = expectWarning("MW_WARN_WORKER_START");
      await using pool = new WorkerPool<typeof import("./modules/starts-once.ts")>(module, { threads: 2, env });
      const start = performance.now();
      await pool.call("waitBriefly", 0);
      const calls = Array.from({ length: 100 }, () => () => pool.call("waitBriefly", 5));
      assert.equal((await gather(calls)).length, 100);
      const later = Math.floor((performance.now() - start) / 1_000);
      assert.ok(readFileSync(`${file}.log`, "utf8").length <= 3 + later);
      assert.match((await warnings.first()).message, /tried again in 1000 ms: .* could not be loaded/);
      assert.ok(warnings.seen.length <= 1 + later);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
