import assert from "node:assert/strict";
import { generateKeySync } from "node:crypto";
import { BlockList, SocketAddress } from "node:net";
import { describe, it } from "node:test";

import { gatherSettled } from "meanwhile";

import { processes, threads } from "./pools.ts";

/** Whether structured clone makes a plain object of it. */
function isData(value: object): boolean {
  try {
    return Object.getPrototypeOf(structuredClone(value)) === Object.prototype;
  } catch {
    return false;
  }
}

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

describe("a value that goes to a process and back", () => {
  it("arrives as from a thread: views have memory of their own, or share that which they shared", async () => {
    const memory = new ArrayBuffer(16);
    const part = new Float32Array(memory, 4, 2);
    const rows: ReadonlyArray<readonly [ArrayBufferView, whole: number, at: number]> = [
      [Uint8Array.of(1, 2, 3), 3, 0],
      [new DataView(memory, 3, 5), 16, 3],
      [part, 16, 4],
      [BigInt64Array.of(5n), 8, 0],
      [Float16Array.of(0.5), 2, 0],
    ];
    for (const open of [processes, threads]) {
      await using pool = open();
      for (const [view, whole, byteOffset] of rows) {
        assert.deepEqual(await pool.call("viewed", view), { view, whole, byteOffset, byteLength: view.byteLength });
      }
      const [first, second] = (await pool.call("echo", [part, new Uint8Array(memory)])) as [Float32Array, Uint8Array];
      assert.equal(first.buffer, second.buffer);
      assert.equal(first.buffer.byteLength, 16);
    }
  });

  it("takes nothing along of the memory that small Buffers share", async () => {
    await using pool = processes();
    const small = Buffer.from("abc");
    const other = new Uint16Array(new Uint16Array([1, 2, 3]).buffer, 2);
    const back = (await pool.call("echo", { small, other, again: small })) as Record<string, Uint8Array>;
    assert.deepEqual([...(back["small"] ?? [])], [...small]);
    assert.equal(back["small"]?.buffer.byteLength, 3);
    assert.equal(back["again"], back["small"]);
    assert.deepEqual([...(back["other"] ?? [])], [2, 3]);
    assert.equal(back["other"]?.buffer.byteLength, 6);
  });

  it("is refused if it would arrive as something else, as threads refuse it or because it belongs to its process", async () => {
    await using pool = processes();
    const values = [
      new URL("http://a.test"),
      new Headers(),
      new BlockList(),
      new SocketAddress({}),
      new DOMException("stopped", "AbortError"),
      generateKeySync("hmac", { length: 8 }),
    ];
    for (const value of values) {
      if (isData(value)) continue; // in Deno some are, for its threads too
      const what = `(?:an instance of|an?) ${value.constructor.name}(?:, which belongs to its process)?;`;
      const message = new RegExp(`args\\[0\\]\\[0\\]\\.value is ${what}`);
      await assert.rejects(() => pool.call("echo", [{ value }]), { code, message });
    }
  });

  it("is data if it is of a class of one's own", async () => {
    class Point {
      readonly #secret = 1;
      readonly x = this.#secret;
      readonly at = new Date(0);
    }
    await using pool = processes();
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(await pool.call("echo", [new Point()]), [{ x: 1, at: new Date(0) }]);
    }
    const holder = Object.assign(new Point(), { memory: new SharedArrayBuffer(1) });
    await assert.rejects(() => pool.call("echo", holder), {
      code,
      message: /args\[0\]\.memory is a SharedArrayBuffer/,
    });
  });
});

describe("an error of a process", () => {
  it("comes without what belongs to its process", async () => {
    await using pool = processes();
    for (const held of ["blob", "memory"] as const) {
      const error = await pool.call("failWith", held).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof TypeError);
      assert.deepEqual(Object.entries(error), [
        ["code", "E_HELD"],
        ["kept", [1]],
      ]);
    }
    await using pool2 = threads();
    await assert.rejects(
      () => pool2.call("failWith", "blob"),
      (error: TypeError & { value?: unknown }) => error.value instanceof Blob,
    );
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
      const error = { code, message: /Cannot call "setPrefix" .*initializer\.args\[0\]\.save is a function/ };
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
