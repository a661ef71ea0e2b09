import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import { describe, it } from "node:test";
import { MessageChannel } from "node:worker_threads";

import { moved, runSync } from "meanwhile/workers";

import { JOBS, threads } from "./pools.ts";

const code = "MW_ERR_WORKER_NOT_CLONEABLE";

describe("what is gone", () => {
  it("fails the call that sends it, with its path", async () => {
    await using pool = threads();
    const { port1, port2 } = new MessageChannel();
    assert.equal(await pool.call("count", port1), 1);
    const closed = new MessageChannel();
    const ended = new Promise((resolve) => closed.port2.once("close", resolve));
    closed.port1.close();
    await ended;
    const handle = await open(import.meta.filename);
    await handle.close();
    const buffer = new ArrayBuffer(8);
    const view = new Uint8Array(buffer);
    assert.equal(await pool.call("count", moved(buffer)), 1);
    const locked = new ReadableStream();
    locked.getReader();
    const { Memory } = Reflect.get(globalThis, "WebAssembly") as {
      Memory: new (how: object) => { buffer: ArrayBuffer };
    };
    const wasm = new Memory({ initial: 1 }).buffer;
    const rows: ReadonlyArray<readonly [unknown, RegExp]> = [
      [port1, /args\[0\] is a MessagePort that is closed, or was moved away;/],
      [{ port: closed.port1 }, /args\[0\]\.port is a MessagePort that is closed/],
      [[new Map([["port", closed.port2]])], /args\[0\]\[0\]\.get\("port"\) is a MessagePort that is closed/],
      [
        new (class Holder {
          readonly port = port1;
        })(),
        /args\[0\]\.port is a MessagePort/,
      ],
      [handle, /args\[0\] is a FileHandle that is closed/],
      [buffer, /args\[0\] is an ArrayBuffer that was moved away/],
      [moved(buffer), /args\[0\] is an ArrayBuffer that was moved away/],
      [{ view }, /args\[0\]\.view\.buffer is an ArrayBuffer that was moved away/],
      [locked, /args\[0\] is an object that cannot be moved: .*locked/],
      [{ data: moved(wasm) }, /args\[0\]\.data is an object that cannot be moved/],
    ];
    for (const [value, message] of rows) {
      await assert.rejects(() => pool.call("echo", value), { code, message });
      // Of what only could not be moved the mark is used up.
      if (!/data/.test(message.source)) assert.throws(() => runSync(JOBS.href, "echo", value), { code });
    }
    await assert.rejects(() => pool.call("closedPort"), {
      code,
      message: /the result\.port is a MessagePort that is closed/,
    });
    const failed = await pool.call("failWithClosedPort").catch((error: unknown) => error);
    assert.ok(failed instanceof TypeError && !("port" in failed));
    await using broken = threads({ initializer: { name: "setPrefix", args: [port1] } });
    await assert.rejects(() => broken.call("add", 1, 2), { code, message: /initializer\.args\[0\] is a MessagePort/ });
    assert.equal(pool.statistics().crashes, 0);
    port2.close();
  });
});

describe("what moves", () => {
  it("moves from inside of an instance of a class too", async () => {
    class Holder {
      readonly port = new MessageChannel().port1;
      readonly buffer = moved(new ArrayBuffer(8));
    }
    await using pool = threads();
    const holder = new Holder();
    assert.equal(await pool.call("count", holder), 1);
    assert.ok(holder.buffer.detached);
  });
});
