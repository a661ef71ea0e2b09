// Who has called whom: what the call graph shows.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { load, logOf } from "./harness.ts";
import type * as programs from "./programs/calls.ts";

const { instrumented: program } = await load<typeof programs>("calls");

describe("the caller of a function is known", () => {
  it("in static, private and plain methods", async () => {
    assert.deepEqual(await logOf(program.methods, { isRealTime: true }), [
      "turns(count): leaf < Shop.pack < Shop.#sell < Shop.open",
      "returns",
    ]);
  });
  it("when foreign code calls it back later", async () => {
    assert.deepEqual(await logOf(program.calledBack, { isRealTime: true }), [
      "turns(count): leaf < program",
      "returns",
    ]);
  });
  it("when it is handed on: the one that gave it to foreign code", async () => {
    assert.deepEqual(await logOf(program.calledBackThroughAnother, { isRealTime: true }), [
      "turns(count): leaf < <anonymous> < gives < program",
      "returns",
    ]);
  });
  it("when one it does not know hands it on: the one around it", async () => {
    assert.deepEqual(await logOf(program.calledBackByStranger, { isRealTime: true }), [
      "callLater(callback): stranger < program",
      "turns(count): leaf < <anonymous> < owner < program",
      "returns",
    ]);
  });
  it("when p-map calls it, also where it is defined outside of the caller", async () => {
    assert.deepEqual(await logOf(program.mapped, { isRealTime: true }), [
      "turns(count): leaf < program",
      "turns(count): leaf < program",
      "returns",
    ]);
  });
  it("in a generator", async () => {
    assert.deepEqual(await logOf(program.generated, { isRealTime: true }), [
      "turns(count): leaf < source < program",
      "item 1",
      "returns",
    ]);
  });
  it("in a disposer", async () => {
    assert.deepEqual(await logOf(program.disposed, { isRealTime: true }), [
      "open: true",
      "turns(count): leaf < Connection.[Symbol.asyncDispose] < program",
      "returns",
    ]);
  });
  it("in a scope opened by the caller", async () => {
    assert.deepEqual(await logOf(program.inScopes, { isRealTime: true }), [
      "turns(count): leaf < inner < program",
      "returns",
    ]);
  });
  it("when its own caller has returned: then it is the caller of that", async () => {
    assert.deepEqual(await logOf(program.afterItsParent, { isRealTime: true }), [
      "turns(count): leaf < program",
      "turns(count): leaf < program",
      "returns",
    ]);
  });
});

describe("a module", () => {
  it("that waits has a frame of its own", async () => {
    assert.deepEqual(await logOf(program.moduleThatWaits, { isRealTime: true }), [
      'import("./waiting-module.ts"): program',
      "turns(5): <module>",
      "returns",
    ]);
  });
  it("that fails leaves nothing that anybody waits for", async () => {
    assert.deepEqual(await logOf(program.moduleThatFails, { isRealTime: true }), ["RangeError: the module", "returns"]);
  });
});

describe("a cancelled scope", () => {
  it("says that it waits for what still runs in it", async () => {
    assert.deepEqual(await logOf(program.whileScopeIsLeft, { isRealTime: true }), [
      "what still runs in a cancelled scope: ",
      "turns(cleanupTurns): part < program",
      "returns",
    ]);
  });
});

describe("code outside of runs", () => {
  it("has no frames", async () => {
    const log: string[] = [];
    await program.outsideOfRuns((line) => log.push(line));
    assert.deepEqual(log, ["item 1", "item 2", "uses an object", "disposed of", "frames: 0"]);
  });
});
