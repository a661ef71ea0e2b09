import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";

import { run } from "meanwhile";
import { runSync, SyncModule, WorkerError } from "meanwhile/workers";

const FUNCTIONS = new URL("./modules/sync-functions.ts", import.meta.url);

type Functions = typeof import("./modules/sync-functions.ts");

describe("runSync", () => {
  it("returns the value of an async function, in a thread that is kept", () => {
    assert.equal(runSync(FUNCTIONS, "add", 1, 2), 3);
    const first = runSync<ReturnType<Functions["where"]>>(FUNCTIONS, "where");
    assert.deepEqual({ ...first, thread: 0 }, { isMain: false, thread: 0, task: "where" });
    assert.deepEqual(runSync(FUNCTIONS, "where"), first);
    assert.deepEqual(runSync(FUNCTIONS.href, "where"), first);
  });

  it("knows the types of a module", () => {
    using functions = new SyncModule<Functions>(FUNCTIONS);
    const sum: number = runSync(functions, "add", 1, 2);
    assert.equal(sum, 3);
    // @ts-expect-error No such function
    assert.throws(() => runSync(functions, "notAFunction"));
    // @ts-expect-error No such parameters
    runSync(functions, "add", "1", 2);
  });

  it("takes and gives whatever can be cloned, of any size", () => {
    const circle: Record<string, unknown> = {
      date: new Date(0),
      map: new Map([["a", new Set([1n])]]),
      nothing: undefined,
    };
    circle["self"] = circle;
    assert.deepEqual(runSync(FUNCTIONS, "same", circle), circle);
    const text = "€".repeat(3_000_000);
    assert.equal(runSync(FUNCTIONS, "same", text), text);
    assert.equal(runSync<Uint8Array>(FUNCTIONS, "bytes", 5_000_000).length, 5_000_000);
    const shared = new Int32Array(new SharedArrayBuffer(4));
    assert.equal(runSync<Int32Array>(FUNCTIONS, "same", shared).buffer.byteLength, 4);
    assert.ok(runSync(FUNCTIONS, "same", new RangeError("x")) instanceof RangeError);
  });

  it("moves ports", () => {
    const { port1, port2 } = new MessageChannel();
    const back = runSync<{ port: typeof port2 }>(FUNCTIONS, "same", { port: port2 });
    back.port.postMessage("hello");
    assert.deepEqual(receiveMessageOnPort(port1), { message: "hello" });
    port1.close();
  });

  it("throws what the function throws, with both stacks", () => {
    const error = thrownBy(function caller() {
      runSync(FUNCTIONS, "fails");
    });
    assert.ok(error instanceof RangeError);
    assert.ok(error.cause instanceof TypeError);
    assert.deepEqual(Object.fromEntries(Object.entries(error)), {
      name: "OrderError",
      code: "E_ORDER",
      order: { id: 7 },
    });
    assert.match(error.stack ?? "", /OrderError: no items\n[^]* at (?:async )?fails [^]*called from\n +at caller /);
  });

  it("names the functions there are, and what is wrong with a module", () => {
    assert.throws(() => runSync(FUNCTIONS, "ad"), {
      code: "MW_ERR_WORKER_UNKNOWN_FUNCTION",
      message: /exports .*add, .*fails/,
    });
    assert.throws(() => runSync(FUNCTIONS, "toString"), { code: "MW_ERR_WORKER_UNKNOWN_FUNCTION" });
    const none = new URL("./modules/none.ts", import.meta.url);
    assert.throws(() => runSync(none, "add"), { code: "MW_ERR_WORKER_MODULE", message: /none\.ts/ });
    assert.throws(() => runSync("./modules/none.ts", "add"), { code: "MW_ERR_WORKER_INVALID_ARGUMENT" });
    assert.throws(() => new SyncModule(FUNCTIONS, { timeoutMs: -1 }), { code: "MW_ERR_WORKER_INVALID_ARGUMENT" });
  });

  it("names the value that cannot be sent", () => {
    assert.throws(() => runSync(FUNCTIONS, "same", 1, { save: () => 1 }), {
      code: "MW_ERR_WORKER_NOT_CLONEABLE",
      message: 'Cannot call "same": args[1].save is a function; pass plain data',
    });
    assert.throws(() => runSync(FUNCTIONS, "givesAFunction"), {
      code: "MW_ERR_WORKER_NOT_CLONEABLE",
      message: /the value\.user\.save is a function/,
    });
    assert.equal(runSync(FUNCTIONS, "add", 1, 2), 3);
  });

  it("is refused inside of a run, and works in a thread", async () => {
    await assert.rejects(
      run(async () => runSync(FUNCTIONS, "add", 1, 2), { name: "server" }),
      (error) =>
        error instanceof WorkerError && error.code === "MW_ERR_WORKER_WOULD_BLOCK" && /"server"/.test(error.message),
    );
    assert.equal(runSync(FUNCTIONS, "nested", FUNCTIONS.href, 1, 2), 3);
  });
});

function thrownBy(fn: () => unknown): Error {
  try {
    fn();
  } catch (error) {
    assert.ok(error instanceof Error);
    return error;
  }
  return assert.fail("nothing was thrown");
}
