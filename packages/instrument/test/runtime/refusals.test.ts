// Rule 5: in a scope that is cancelled already.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { load, logOf } from "./harness.ts";
import type * as programs from "./programs/refusals.ts";

const { instrumented: program } = await load<typeof programs>("refusals");

describe("in a cancelled scope", () => {
  it("a shield runs, and its value is delivered", async () => {
    assert.deepEqual(await logOf(program.shields), ["from the shield", "goes on", "returns"]);
  });
  it("so do shields behind Promise.all", async () => {
    assert.deepEqual(await logOf(program.shieldsInPromiseAll), ["a,b", "returns"]);
  });
  it("a loop that catches what its waits throw does not keep timers from running", async () => {
    assert.deepEqual(await logOf(program.loopsAndCatches), ["timers run", "returns"]);
  });
  it("neither does one around a task", async () => {
    assert.deepEqual(await logOf(program.loopsAroundTask), ["timers run", "returns"]);
  });
  it("a value is dropped, and so is an error, without an unhandled rejection", async () => {
    assert.deepEqual(await logOf(program.dropsValuesAndErrors), [
      "CancelledError",
      "CancelledError",
      "CancelledError",
      "CancelledError",
      "returns",
    ]);
  });
  it("a function runs to its first wait, and its caller waits for its cleanup", async () => {
    assert.deepEqual(await logOf(program.callsWhatWaits), ["child begins", "child ends", "parent ends", "returns"]);
  });
  it("a function that does not wait runs to its end; its value is dropped", async () => {
    assert.deepEqual(await logOf(program.callsWhatDoesNotWait), ["child does not wait", "returns"]);
  });
  it("a wait of ours that was begun before ends as cancelled", async () => {
    assert.deepEqual(await logOf(program.cancelsItselfBeforeItWaits), ["ends", "returns"]);
  });
  it("the then of what is awaited is called once", async () => {
    assert.deepEqual(await logOf(program.awaitsThenable), [
      "then is called",
      "value",
      '{"then":1}',
      "then is called",
      "returns",
    ]);
  });
});
