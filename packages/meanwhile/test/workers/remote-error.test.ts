import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { describe, it } from "node:test";
import { runInNewContext } from "node:vm";

import { cancelScope, CancelledError, sleep, TaskCancelledError, TimeoutError, timeout, UsageError } from "meanwhile";

import { encodeError } from "../../src/workers/encode-error.ts";
import { decodeError } from "../../src/workers/remote-error.ts";

/** As through a message. What comes out is looked at property by property. */
// oxlint-disable-next-line typescript/no-explicit-any
function sent(error: unknown, callSite = new Error()): any {
  return decodeError(structuredClone(encodeError(error)), callSite);
}

function thrownBy(fn: () => unknown): unknown {
  try {
    return fn();
  } catch (error) {
    return error;
  }
}

describe("an error between threads", () => {
  it("keeps the class of built-in errors", () => {
    for (const error of [new TypeError("t"), new RangeError("r"), thrownBy(() => JSON.parse("{"))] as Error[]) {
      const there = sent(error);
      assert.equal(there.constructor, error.constructor);
      assert.equal(there.message, error.message);
      assert.ok(Error.isError(there));
    }
    const dom = sent(new DOMException("stopped", "AbortError"));
    assert.ok(dom instanceof DOMException);
    assert.deepEqual([dom.name, dom.code, dom.message], ["AbortError", 20, "stopped"]);
  });

  it("keeps the class and the code of errors of ours", async () => {
    const usage = sent(await (sleep("x" as never) as Promise<unknown>).catch((error: unknown) => error));
    assert.ok(usage instanceof UsageError);
    assert.equal(usage.code, "MW_ERR_INVALID_ARGUMENT");
    const late = sent(await timeout(0, () => sleep(1)).catch((error: unknown) => error));
    assert.ok(late instanceof TimeoutError);
    assert.equal(late.code, "MW_ERR_TIMEOUT");
  });

  it("is of the nearest class that is known, under its own name, with its own properties", () => {
    class InvalidOrder extends TypeError {
      override readonly name = "InvalidOrder";
      readonly order = { id: 7, at: new Date(0) };
      readonly retry = (): void => {};
    }
    const there = sent(new InvalidOrder("no items"));
    assert.equal(Object.getPrototypeOf(there), TypeError.prototype);
    assert.equal(String(there), "InvalidOrder: no items");
    assert.deepEqual(there.order, { id: 7, at: new Date(0) });
    assert.ok(!("retry" in there));
  });

  it("does not take a class for one of ours because it has its name", () => {
    const Theirs = Object.defineProperty(class extends Error {}, "name", { value: "TimeoutError" });
    assert.ok(!(sent(new Theirs("x")) instanceof TimeoutError));
  });

  it("brings its causes, its errors and circles", () => {
    const inner = new RangeError("inner");
    const outer = new Error("outer", { cause: inner }) as Error & { self?: unknown };
    outer.self = outer;
    const there = sent(outer);
    assert.ok(there.cause instanceof RangeError);
    assert.equal(there.self, there);
    const many = sent(new AggregateError([inner, "text", () => 1], "many"));
    assert.ok(many instanceof AggregateError);
    assert.ok(many.errors[0] instanceof RangeError);
    assert.deepEqual(many.errors.slice(1), ["text", undefined]);
    const both = sent(new SuppressedError(inner, new Error("earlier"), "both"));
    assert.ok(both instanceof SuppressedError);
    assert.equal(both.suppressed.message, "earlier");
  });

  it("is cut where its causes are more than anybody reads", () => {
    let error: Error & { code?: string } = new Error("first");
    for (let i = 0; i < 5_000; i++) error = Object.assign(new TypeError(`${i}`, { cause: error }), { code: "E_DEEP" });
    const there = sent(error);
    assert.deepEqual([there.message, there.code], ["4999", "E_DEEP"]);
    let last = there;
    let causes = 0;
    for (; last.cause !== undefined; causes++) last = last.cause;
    assert.deepEqual([causes, last.message], [100, "More than 100 causes: the rest is left out"]);
  });

  it("takes what was thrown and is no error as it is, or says what it was", () => {
    assert.equal(sent("text"), "text");
    assert.equal(sent(undefined), undefined);
    assert.deepEqual(sent({ status: 404 }), { status: 404 });
    assert.match(sent(() => 1).message, /cannot be cloned: it is an anonymous function/);
  });

  it("makes a cancellation of the other side a failure", async () => {
    let cancelled: unknown;
    await cancelScope(async (scope) => {
      scope.cancel("enough");
      cancelled = await sleep(1).catch((error: unknown) => error);
    });
    assert.ok(cancelled instanceof CancelledError);
    const there = sent(cancelled);
    assert.ok(there instanceof TaskCancelledError);
    assert.match((there.cause as Error).message, /enough/);
    assert.ok(!(there.cause instanceof CancelledError));
  });

  it("survives errors that cannot be read", () => {
    const hostile = new Proxy(new Error("x"), { get: () => assert.fail("read") });
    assert.ok(sent(hostile) instanceof Error);
    const own = Object.defineProperty(new Error("own"), "secret", { get: () => assert.fail("read"), enumerable: true });
    assert.equal(sent(own).message, "own");
  });

  it("keeps its code, be it a getter of its own or of its class", () => {
    class NotFound extends RangeError {
      get code(): string {
        return "E_NOT_FOUND";
      }
    }
    const own = Object.defineProperty(new Error("own"), "code", { get: () => "E_OWN", enumerable: true });
    assert.deepEqual([sent(new NotFound("x")).code, sent(own).code], ["E_NOT_FOUND", "E_OWN"]);
    assert.ok(!Object.keys(sent(new NotFound("x"))).includes("code"));
    const system = sent(thrownBy(() => rmSync(import.meta.dirname)));
    assert.deepEqual([system.code, system.syscall, system.path], ["ERR_FS_EISDIR", "rm", import.meta.dirname]);
    assert.equal(typeof system.errno, "number");
  });

  it("is called by its class if it has no name of its own", () => {
    class HttpError extends Error {}
    assert.equal(sent(new HttpError("404")).name, "HttpError");
    const inherited = Object.assign(new HttpError("404"), { name: "Error" });
    assert.equal(sent(inherited).name, "Error");
    assert.equal(sent(new (class extends TypeError {})("x")).name, "TypeError");
  });

  it("keeps the class of a built-in error of another realm", () => {
    const there = sent(runInNewContext("new (class Mine extends TypeError {})('theirs')"));
    assert.ok(there instanceof TypeError);
    assert.equal(String(there), "Mine: theirs");
  });
});
