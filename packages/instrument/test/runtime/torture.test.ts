// A test that makes each await fail: those of instrumented code are among them.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { torture } from "meanwhile/testing";

import { checkFrames, load } from "./harness.ts";
import type * as programs from "./programs/torture.ts";

const { plain, instrumented } = await load<typeof programs>("torture");

describe("torture", () => {
  it("fails every await of instrumented code once, foreign ones included, and nothing is left", async () => {
    const { points } = await torture(instrumented.program);
    checkFrames();
    const ofPlain = await torture(plain.program);
    assert.ok(points.length > ofPlain.points.length, `${points.length} points, without: ${ofPlain.points.length}`);
  });
});
