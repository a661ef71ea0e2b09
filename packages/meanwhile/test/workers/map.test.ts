import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancelScope, gatherSettled, isCancelled, sleep } from "meanwhile";
import { WorkerPool } from "meanwhile/workers";

import { cell, type Jobs, reached, set, threads } from "./pools.ts";

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const squares = (count: number): number[] => numbers(count).map((n) => n * n);

function* naturals(): Generator<number> {
  for (let n = 0; ; n++) yield n;
}

describe("map of a WorkerPool", () => {
  it("gives the result for each item, in the order of the items", async () => {
    await using pool = threads({ threads: 2 });
    for (const count of [0, 1, 2, 100, 20_000]) {
      const results: number[] = [];
      for await (const result of pool.map("square", numbers(count))) results.push(result);
      assert.deepEqual(results, squares(count));
    }
    assert.deepEqual(await pool.map("squareLater", numbers(300)).toArray(), squares(300));
  });

  it("gives them all at once too", async () => {
    await using pool = threads({ threads: 2 });
    const results = pool.map("square", new Set(numbers(5_000)));
    assert.deepEqual(await results.toArray(), squares(5_000));
    assert.deepEqual(await results.toArray(), squares(5_000));
  });

  it("gives them as they are ready, if the order does not matter", async () => {
    await using pool = threads({ threads: 2 });
    await pool.warmUp();
    const go = cell();
    const quick = new Int32Array(new SharedArrayBuffer(4)).fill(1);
    const order: string[] = [];
    const results = pool.map("blockUntil", [go, quick, quick], { ordered: false, chunk: 1 });
    for await (const result of results) {
      order.push(result);
      if (order.length === 2) set(go);
    }
    assert.equal(order.length, 3);
  });

  it("sends many quick items in one message, and slow ones one by one", async () => {
    await using pool = threads();
    await pool.map("square", numbers(20_000)).toArray();
    assert.ok(pool.statistics().completed < 1_000);
    const before = pool.statistics().completed;
    await pool.map("square", numbers(100), { chunk: 10 }).toArray();
    assert.equal(pool.statistics().completed - before, 10);
  });

  it("keeps what is no number, and what is a strange one", async () => {
    await using pool = threads();
    const items = [...numbers(20), -0, Number.NaN, Infinity, 2 ** 60];
    assert.deepEqual(await pool.map("echo", items, { chunk: 24 }).toArray(), items);
    const mixed = [...numbers(20), "text", null, undefined, { a: 1 }, 5n];
    assert.deepEqual(await pool.map("echo", mixed, { chunk: 25 }).toArray(), mixed);
  });

  it("pulls no more than the window from an endless source", async () => {
    await using pool = threads();
    let pulled = 0;
    function* endless(): Generator<number> {
      for (;;) yield pulled++;
    }
    let read = 0;
    for await (const result of pool.map("square", endless(), { window: 10 })) {
      assert.equal(result, read * read);
      read += 1;
      assert.ok(pulled - read <= 10, `${pulled} pulled, ${read} read`);
      if (read === 50) break;
    }
    assert.equal(pool.statistics().running, 0);
  });

  it("hands on the items of an async source as they come", async () => {
    await using pool = threads();
    async function* slow(): AsyncGenerator<number> {
      for (let i = 0; i < 5; i++) {
        await sleep(1);
        yield i;
      }
    }
    assert.deepEqual(await pool.map("square", slow()).toArray(), squares(5));
    assert.deepEqual(await pool.map("square", slow(), { chunk: 2 }).toArray(), squares(5));
  });

  it("starts nothing before the first result is asked for", async () => {
    await using pool = threads();
    pool.map("square", numbers(10));
    assert.equal(pool.statistics().threads, 0);
  });

  it("throws the first failure of a call, and of the source", async () => {
    await using pool = threads({ threads: 2 });
    await assert.rejects(() => pool.map("refuseItem", numbers(1_000)).toArray(), {
      name: "RangeError",
      message: "not 3",
    });
    function* failing(): Generator<number> {
      yield 1;
      throw new RangeError("no more");
    }
    await assert.rejects(() => pool.map("square", failing()).toArray(), { message: "no more" });
    assert.equal(pool.statistics().running, 0);
  });

  it("tells which item cannot be cloned", async () => {
    await using pool = threads();
    await assert.rejects(() => pool.map("echo", [1, 2, () => {}], { chunk: 3 }).toArray(), {
      code: "MW_ERR_WORKER_NOT_CLONEABLE",
      message: /items\[2\] is a function/,
    });
  });

  it("cancels what runs when the loop is left", async () => {
    await using pool = threads({ threads: 2, graceMs: 5 });
    const quick = new Int32Array(new SharedArrayBuffer(4)).fill(1);
    const forever = cell();
    for await (const _ of pool.map("blockUntil", [quick, forever, forever], { chunk: 1 })) break;
    assert.equal(pool.statistics().running, 0);
  });

  it("cancels what runs when its scope is cancelled, between the items of one chunk too", async () => {
    await using pool = threads({ graceMs: 5 });
    await cancelScope(async (scope) => {
      const loop = (async () => {
        for await (const result of pool.map("square", numbers(100_000), { chunk: 100 }))
          if (result === 4) scope.cancel();
      })();
      await assert.rejects(() => loop, isCancelled);
      assert.equal(pool.statistics().running, 0);
    });
    const started = cell();
    await cancelScope(async (scope) => {
      const loop = pool.map("waitForever", [started], { chunk: 1 }).toArray();
      await reached(started, 1);
      scope.cancel();
      await assert.rejects(() => loop, isCancelled);
    });
  });

  it("stops a chunk of quick calls in the middle", async () => {
    await using pool = threads();
    const items = Array.from({ length: 1_000_000 }, () => 1);
    await cancelScope(async (scope) => {
      const loop = pool.map("spinBriefly", items, { chunk: 1_000_000 }).toArray();
      while (pool.statistics().running === 0) await new Promise((resolve) => setImmediate(resolve));
      scope.cancel();
      await assert.rejects(() => loop, isCancelled);
    });
    assert.deepEqual([pool.statistics().threads, pool.statistics().running], [1, 0]);
  });

  it("has no more items on the way than its window", async () => {
    await using pool = threads({ threads: 2 });
    const rows = [{ window: 1 }, { window: 4, chunk: 4 }, { window: 100 }, { window: 16, chunk: 3, ordered: false }];
    for (const options of rows) {
      let pulled = 0;
      function* source(): Generator<number> {
        while (pulled < 400) yield pulled++;
      }
      let most = 0;
      let read = 0;
      for await (const _ of pool.map("square", source(), options)) {
        read += 1;
        most = Math.max(most, pulled - read);
      }
      assert.equal(read, 400);
      assert.ok(most <= options.window, `${most} of ${options.window}`);
    }
  });

  it("says which item cannot be sent, and of which one the result", async () => {
    await using pool = threads();
    const code = "MW_ERR_WORKER_NOT_CLONEABLE";
    const items: unknown[] = numbers(300);
    items[250] = { save: () => 1 };
    for (const chunk of [undefined, 1, 7, 300]) {
      const lost = { code, message: /: items\[250\]\.save is a function; / };
      await assert.rejects(() => pool.map("echo", items, { chunk }).toArray(), lost);
      await assert.rejects(
        () =>
          pool.map("functionAt", numbers(30), { chunk: chunk === undefined ? chunk : Math.min(chunk, 30) }).toArray(),
        { code, message: /: results\[21\]\.run is a function; / },
      );
    }
    async function* later(): AsyncGenerator {
      yield* items;
    }
    await assert.rejects(() => pool.map("echo", later(), { chunk: 4 }).toArray(), { code, message: /items\[250\]/ });
  });

  it("fails once if its pool ends, with nothing to report besides", async () => {
    const ends: ReadonlyArray<(pool: WorkerPool<Jobs>) => Promise<void>> = [
      (pool) => pool.terminate(),
      (pool) => pool.close({ timeoutMs: 0 }),
      (pool) => pool[Symbol.asyncDispose](),
    ];
    for (const end of ends) {
      const pool = threads({ threads: 2 });
      await pool.warmUp();
      const loop = pool.map("spinBriefly", naturals(), { chunk: 10 })[Symbol.asyncIterator]();
      for (let i = 0; i < 25; i++) await loop.next();
      const [ended, left] = await gatherSettled([
        () => end(pool),
        async () => {
          for (;;) if ((await loop.next()).done === true) return;
        },
      ]);
      assert.equal(ended.status, "fulfilled");
      assert.ok(left.status === "rejected");
      assert.match(String(left.reason.code), /^MW_ERR_(?:WORKER_CLOSED|WORKER_TERMINATED|TASK_CANCELLED)$/);
    }
    await using broken = new WorkerPool(new URL("./modules/broken.ts", import.meta.url), { threads: 2 });
    await assert.rejects(() => broken.map("f", numbers(50)).toArray(), { code: "MW_ERR_WORKER_MODULE" });
  });

  it("answers calls of next() that are made at once in order", async () => {
    await using pool = threads();
    const iterator = pool.map("square", numbers(7), { chunk: 3 })[Symbol.asyncIterator]();
    const results = await Promise.all(numbers(8).map(() => iterator.next()));
    assert.deepEqual(
      results.map(({ value }) => value),
      [...squares(7), undefined],
    );
  });

  it("says what is wrong with its arguments", async () => {
    await using pool: WorkerPool<Jobs> = threads();
    const code = "MW_ERR_WORKER_INVALID_ARGUMENT";
    assert.throws(() => pool.map("square", 5 as never), { code });
    assert.throws(() => pool.map("square", null as never), { code });
    assert.throws(() => pool.map("square", {} as never), { code });
    assert.throws(() => pool.map("square", [], { window: 0 }), { code });
    assert.throws(() => pool.map("square", [], { chunk: 1.5 }), { code });
  });
});
