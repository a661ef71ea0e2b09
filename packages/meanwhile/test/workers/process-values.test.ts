import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { gatherSettled } from "meanwhile";

import { processes, threads } from "./pools.ts";

const code = "MW_ERR_WORKER_NOT_CLONEABLE";

describe("what belongs to a process", () => {
  it("is not sent to another one, and the error says where it lies", async () => {
    await using pool = processes();
    const { port1, port2 } = new MessageChannel();
    const memory = new SharedArrayBuffer(8);
    const rows: ReadonlyArray<readonly [unknown, string]> = [
      [{ a: { b: memory } }, "args[0].a.b is a SharedArrayBuffer"],
      [[new Int32Array(memory)], "args[0][0] is a view of a SharedArrayBuffer"],
      [new Map([["port", port1]]), 'args[0].get("port") is a MessagePort'],
      [{ file: new Blob(["text"]) }, "args[0].file is a Blob"],
      [new Error("outer", { cause: new ReadableStream() }), "args[0].cause is a ReadableStream"],
    ];
    for (const [value, text] of rows) {
      const error = await pool.call("echo", value).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof Error && "code" in error && error.code === code, String(error));
      assert.ok(error.message.includes(`${text}, which belongs to its process`), error.message);
    }
    port2.close();
    await assert.rejects(() => pool.call("blob"), { code, message: /the result\.parts\[0\] is a Blob/ });
    assert.equal(pool.statistics().crashes, 0);
  });

  it("does not keep it from what can be cloned", async () => {
    await using pool = processes();
    const value = {
      list: [{ n: 1 }],
      map: new Map([[{ key: 1 }, new Set([2])]]),
      bytes: new Uint8Array([3]),
      no: null,
    };
    assert.deepEqual(await pool.call("echo", value), value);
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const back = (await pool.call("echo", circle)) as typeof circle;
    assert.equal(back.self, back);
  });
});

describe("a process that ends", () => {
  it("leaves the results of the jobs that had ended, however large they are", async () => {
    await using pool = processes();
    await pool.warmUp();
    const length = 30_000_000;
    const [large, left] = await gatherSettled([() => pool.call("manyBytes", length), () => pool.call("exit", 4)]);
    assert.equal(large.status === "fulfilled" && large.value.length, length);
    assert.equal((left as PromiseRejectedResult).reason.code, "MW_ERR_WORKER_CRASHED");
    assert.equal(await pool.call("add", 3, 4), 7);
  });
});

describe("an initializer whose arguments cannot be sent", () => {
  it("is told of by its path", async () => {
    for (const open of [processes, threads]) {
      await using pool = open({ initializer: { name: "setPrefix", args: [{ save: () => 1 }] } });
      const error = { code, message: /Cannot send "setPrefix" .*initializer\.args\[0\]\.save is a function/ };
      await assert.rejects(() => pool.call("add", 1, 2), error);
      await assert.rejects(() => pool.warmUp(), error);
    }
    await using pool = processes({ initializer: { name: "setPrefix", args: [new SharedArrayBuffer(1)] } });
    await assert.rejects(() => pool.call("add", 1, 2), {
      code,
      message: /initializer\.args\[0\] is a SharedArrayBuffer/,
    });
  });
});
