import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { show } from "../../src/util/show.ts";

describe("show", () => {
  it("quotes strings and cuts long ones", () => {
    assert.equal(show('a "b"'), '"a \\"b\\""');
    assert.equal(show("x".repeat(80)), `"${"x".repeat(80)}"`);
    assert.equal(show("x".repeat(81)), `"${"x".repeat(77)}..."`);
  });

  it("names what has a name", () => {
    assert.equal(
      show(function load() {}),
      'the function "load"',
    );
    assert.equal(show(new Map()), "an object (Map)");
    assert.equal(show(Promise.resolve()), "an object (Promise)");
    assert.equal(show([1, 2]), "an array of 2");
  });

  it("says what has no name", () => {
    assert.equal(show((() => () => {})()), "an anonymous function");
    assert.equal(show(Object.create(null)), "an object of no named class");
    assert.equal(
      show(
        new (class {
          readonly field = 1;
        })(),
      ),
      "an object of no named class",
    );
    assert.equal(show(Object.defineProperty(() => {}, "name", { value: () => "" })), "an anonymous function");
    assert.equal(show({ constructor: { name: 1 } }), "an object of no named class");
  });

  it("shows every primitive as it is written", () => {
    assert.deepEqual([undefined, null, true, 1.5, NaN, -Infinity, 7n, Symbol("s")].map(show), [
      "undefined",
      "null",
      "true",
      "1.5",
      "NaN",
      "-Infinity",
      "7n",
      "Symbol(s)",
    ]);
  });

  it("cuts a class name that is too long", () => {
    const name = "X".repeat(100);
    assert.equal(show({ constructor: { name } }), `an object (${"X".repeat(77)}...)`);
  });

  it("survives an object that cannot be read", () => {
    const hostile = {
      get constructor(): never {
        throw new Error("no");
      },
    };
    assert.equal(show(hostile), "something unreadable");
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    assert.equal(show(proxy), "something unreadable");
    const named = Object.defineProperty(() => {}, "name", {
      get(): never {
        throw new Error("no");
      },
    });
    assert.equal(show(named), "something unreadable");
  });
});
