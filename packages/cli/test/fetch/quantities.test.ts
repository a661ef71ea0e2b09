// What the command line takes as a quantity.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { parseBytes, parseCount, parseDurationMs, parseRatePerSecond } from "../../src/fetch/quantities.ts";

const NONE = ["", " ", "-1", "1e9", "0x10", "abc", "1..2", "NaN", "Infinity", "5 s", "٣"];

describe("quantities", () => {
  it("reads times as seconds unless they say otherwise", () => {
    const texts = ["30", "30s", "500ms", "1.5m", "2h", "0"];
    assert.deepEqual(texts.map(parseDurationMs), [30_000, 30_000, 500, 90_000, 7_200_000, 0]);
  });

  it("reads sizes in bytes unless they say otherwise", () => {
    const texts = ["1024", "10MB", "64KiB", "1g", "1.5k"];
    assert.deepEqual(texts.map(parseBytes), [1_024, 10_000_000, 65_536, 2 ** 30, 1_536]);
  });

  it("reads rates as per second unless they say otherwise", () => {
    assert.deepEqual(["20", "20/s", "120/m", "3600/h", "0.5"].map(parseRatePerSecond), [20, 20, 2, 1, 0.5]);
  });

  it("reads whole numbers down to the least one allowed", () => {
    assert.deepEqual([parseCount("1", 1), parseCount("0", 1), parseCount("0", 0)], [1, undefined, 0]);
  });

  it("refuses what is no quantity", () => {
    for (const text of NONE) {
      assert.equal(parseDurationMs(text), undefined, `time "${text}"`);
      assert.equal(parseBytes(text), undefined, `size "${text}"`);
      assert.equal(parseRatePerSecond(text), undefined, `rate "${text}"`);
      assert.equal(parseCount(text, 0), undefined, `count "${text}"`);
    }
    assert.equal(parseRatePerSecond("0/s"), undefined);
    assert.equal(parseDurationMs("5x"), undefined);
  });
});
