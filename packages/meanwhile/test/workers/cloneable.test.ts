import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MessageChannel } from "node:worker_threads";

import { describeNotCloneable } from "../../src/workers/cloneable.ts";

const find = (value: unknown): string | null => describeNotCloneable(value, "args[0]");

describe("describeNotCloneable", () => {
  it("finds nothing in what structured clone takes", () => {
    class Point {
      readonly #hidden = 1;
      x = this.#hidden;
    }
    const circle: Record<string, unknown> = { list: [1, "two", null, undefined, 3n] };
    circle["self"] = circle;
    const holes: unknown[] = [];
    holes[2] = "after two holes";
    const taken = [
      circle,
      holes,
      new Point(),
      new Map([[{}, new Set([1])]]),
      new Date(),
      /x/,
      new Error("x"),
      new Blob([]),
    ];
    const buffers = [new Uint8Array(3), new ArrayBuffer(3), new SharedArrayBuffer(3), Buffer.from("x")];
    for (const value of [...taken, ...buffers, Object(1), Object.create(null)]) {
      structuredClone(value);
      assert.equal(find(value), null);
    }
  });

  it("tells the path of what cannot be cloned, and what it is", () => {
    const rows: ReadonlyArray<readonly [unknown, string]> = [
      [() => 1, "args[0] is a function"],
      [{ user: { save: () => 1 } }, "args[0].user.save is a function"],
      [[1, [Symbol("x")]], "args[0][1][0] is a symbol"],
      [{ "a b": Promise.resolve() }, 'args[0]["a b"] is a Promise'],
      [new Map([["key", () => 1]]), 'args[0].get("key") is a function'],
      [new Map([[{}, () => 1]]), "[...args[0].values()][0] is a function"],
      [new Map([[() => 1, 1]]), "[...args[0].keys()][0] is a function"],
      [new Set([1, new WeakMap()]), "[...args[0]][1] is an instance of WeakMap"],
      [new Error("x", { cause: { again: () => 1 } }), "args[0].cause.again is a function"],
      [{ home: new URL("http://a.test") }, "args[0].home is an instance of URL"],
      [{ all: new Proxy({}, {}) }, "args[0].all is a Proxy"],
      [Object.assign([1], { extra: () => 1 }), "args[0].extra is a function"],
    ];
    for (const [value, text] of rows) {
      assert.throws(() => structuredClone(value));
      assert.equal(find(value), text);
    }
  });

  it("names a getter that throws, a buffer that was moved, and arguments", () => {
    const holder = Object.defineProperty({}, "now", {
      enumerable: true,
      get: () => assert.fail("read"),
    });
    assert.equal(find(holder), "args[0].now is a getter that throws");
    const buffer = new ArrayBuffer(1);
    structuredClone(buffer, { transfer: [buffer] });
    assert.equal(find([buffer]), "args[0][0] is an ArrayBuffer that was moved away");
    const given = (function () {
      return arguments; // oxlint-disable-line prefer-rest-params
    })();
    assert.equal(find({ given }), "args[0].given is an arguments object");
  });

  it("tells what is deepest of objects that belong to this thread, and takes what is moved", () => {
    const { port1, port2 } = new MessageChannel();
    class Holder {
      readonly port = port1;
    }
    assert.equal(find(new Holder()), "args[0].port is an instance of MessagePort");
    assert.equal(describeNotCloneable({ port1 }, "args[0]", [port1]), null);
    port1.close();
    port2.close();
  });

  it("looks through values that are nested deeper than the stack", () => {
    const top: Record<string, unknown> = {};
    let last = top;
    for (let i = 0; i < 20_000; i++) last = last["a"] = {} as Record<string, unknown>;
    assert.equal(find(top), null);
    last["b"] = () => 1;
    assert.match(find(top) ?? "", /a\.a\.b is a function$/);
  });
});
