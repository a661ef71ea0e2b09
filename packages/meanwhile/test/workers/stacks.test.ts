// Where errors of other threads say they were thrown, and called from.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";

import { run } from "meanwhile";
import { toThread } from "meanwhile/workers";

import { encodeError } from "../../src/workers/encode-error.ts";
import { decodeError } from "../../src/workers/remote-error.ts";

describe("the stack of an error between threads", () => {
  it("is that of the place where it was thrown, then that of the call", () => {
    function compute(): never {
      throw new Error("boom", { cause: new Error("why") });
    }
    function callOfMine(): Error {
      return new Error();
    }
    let thrown: unknown;
    try {
      compute();
    } catch (error) {
      thrown = error;
    }
    const there = decodeError(structuredClone(encodeError(thrown)), callOfMine());
    assert.ok(there instanceof Error && there.cause instanceof Error);
    assert.match(there.stack ?? "", /^Error: boom\n +at compute [^]*\n {2}called from\n +at callOfMine/);
    assert.doesNotMatch(there.cause.stack ?? "", /called from/);
  });

  it("has the lines of the file in which a function given to toThread stands", async () => {
    const error = await run(() =>
      toThread(function failing(text: string) {
        throw new RangeError(text);
      }, "here"),
    ).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof RangeError);
    assert.match(error.stack ?? "", /RangeError: here\n +at failing \(.*stacks\.test\.ts:\d+:\d+\)/);
    const [, line = ""] = /stacks\.test\.ts:(\d+)/.exec(error.stack ?? "") ?? [];
    const source = readFileSync(new URL(import.meta.url), "utf8").split("\n");
    assert.match(source[Number(line) - 1] ?? "", /throw new RangeError\(text\)/);
  });
});
