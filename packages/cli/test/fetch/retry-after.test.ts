// When a server wants to be asked again.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { parseRetryAfterMs } from "../../src/fetch/retry-after.ts";

const NOW = Date.parse("2026-11-23T12:00:00Z");

describe("Retry-After", () => {
  it("is a number of seconds or a date", () => {
    assert.equal(parseRetryAfterMs("120", NOW), 120_000);
    assert.equal(parseRetryAfterMs(" 0 ", NOW), 0);
    assert.equal(parseRetryAfterMs("Mon, 23 Nov 2026 12:00:30 GMT", NOW), 30_000);
    assert.equal(parseRetryAfterMs("Mon, 23 Nov 2026 11:00:00 GMT", NOW), 0);
  });

  it("is nothing if it makes no sense", () => {
    for (const value of [null, undefined, "", "soon", "-5", "1.5", "1e9", "Mon, 99 Xyz 2026", "2026-11-23"]) {
      assert.equal(parseRetryAfterMs(value, NOW), undefined, String(value));
    }
  });

  it("is at most a year", () => {
    assert.equal(parseRetryAfterMs("999999999999999", NOW), 365 * 24 * 3_600_000);
  });
});
