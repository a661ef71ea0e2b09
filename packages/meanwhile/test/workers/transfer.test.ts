import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { receiveMessageOnPort } from "node:worker_threads";

import { moved } from "meanwhile/workers";

import { cell, threads } from "./pools.ts";

const BIG = 100 * 1024 * 1024;

describe("values on their way to a thread and back", () => {
  it("are copied: what is changed there is not changed here", async () => {
    await using pool = threads();
    const bytes = new Uint8Array(4);
    const filled = await pool.call("fill", bytes, 7);
    assert.deepEqual([...bytes], [0, 0, 0, 0]);
    assert.deepEqual([...filled], [7, 7, 7, 7]);
  });

  it("are moved if they are marked, both ways", async () => {
    await using pool = threads();
    await pool.warmUp();
    const bytes = new Uint8Array(BIG);
    bytes[BIG - 1] = 5;
    const back = (await pool.call("echo", moved(bytes))) as Uint8Array;
    assert.equal(bytes.length, 0);
    assert.equal(back.length, BIG);
    assert.equal(back[BIG - 1], 5);
    const nested = { list: [moved(new Uint8Array(3)).buffer] };
    await pool.call("echo", nested);
    assert.equal(nested.list[0]?.byteLength, 0);
  });

  it("are moved once: a mark is used up", async () => {
    await using pool = threads();
    const bytes = moved(new Uint8Array([1, 2]));
    const back = (await pool.call("echo", bytes)) as Uint8Array;
    await pool.call("echo", back);
    assert.deepEqual([...back], [1, 2]);
  });

  it("are moved if they are listed", async () => {
    await using pool = threads();
    const buffer = new ArrayBuffer(8);
    await pool.start("echo", [buffer], { transfer: [buffer] });
    assert.equal(buffer.byteLength, 0);
  });

  it("are shared if they can be", async () => {
    await using pool = threads({ threads: 2 });
    const cells = cell();
    await Promise.all([pool.call("increment", cells, 1_000), pool.call("increment", cells, 1_000)]);
    assert.equal(Atomics.load(cells, 0), 2_000);
  });

  it("are moved without a word if they cannot be copied, like ports", async () => {
    await using pool = threads();
    const { port1, port2 } = new MessageChannel();
    await Promise.all([
      pool.call("echo", 1),
      pool.call("answerOn", port2 as never, { deep: true }),
      pool.call("echo", 2),
    ]);
    assert.deepEqual(receiveMessageOnPort(port1 as never), { message: { deep: true } });
    port1.close();
    const port = await pool.call("makeChannel");
    assert.deepEqual(receiveMessageOnPort(port), { message: "hello" });
    port.close();
  });

  it("fail the call if they can be neither, and only that, with the way to what is wrong", async () => {
    await using pool = threads();
    const bad = pool.call("echo", { user: { save: () => {} } }).catch((error: unknown) => error);
    assert.deepEqual(await Promise.all([pool.call("echo", 1), pool.call("echo", 2)]), [1, 2]);
    assert.match(String(await bad), /Cannot call "echo" in a worker: args\[0\]\.user\.save is a function/);
    assert.equal(((await bad) as { code?: string }).code, "MW_ERR_WORKER_NOT_CLONEABLE");
  });

  it("fail the call if the result can be neither", async () => {
    await using pool = threads();
    const calls = [pool.call("echo", 1), pool.call("uncloneable"), pool.call("echo", 2)];
    const [first, bad, second] = await Promise.allSettled(calls);
    assert.deepEqual(
      [first, second].map((one) => one?.status),
      ["fulfilled", "fulfilled"],
    );
    assert.match(String((bad as PromiseRejectedResult).reason), /the result\.user\.save is a function/);
  });

  it("cannot be marked if they are no buffers", () => {
    assert.throws(() => moved("text" as never), { code: "MW_ERR_WORKER_INVALID_ARGUMENT" });
    assert.throws(() => moved(new Uint8Array(new SharedArrayBuffer(1))), { code: "MW_ERR_WORKER_INVALID_ARGUMENT" });
    const small = Buffer.from("abc");
    if (small.buffer.byteLength === small.length) return; // not in Bun, where it shares with nobody
    assert.throws(() => moved(small), {
      code: "MW_ERR_WORKER_INVALID_ARGUMENT",
      message: /shares with other/,
    });
  });
});
