// When a server wants to be asked again.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { restMsOf } from "../../src/fetch/retry-after.ts";

const NOW = Date.parse("2026-11-23T12:00:00Z");

describe("the rest a host asks for", () => {
  const rest = (status: number, headers: Record<string, string>): number | undefined =>
    restMsOf(status, new Headers(headers), NOW);

  it("is that of Retry-After if the answer is a failure", () => {
    assert.equal(rest(503, { "retry-after": "5" }), 5_000);
    assert.equal(rest(503, { "retry-after": "Mon, 23 Nov 2026 12:00:30 GMT" }), 30_000);
    assert.equal(rest(503, { "retry-after": "soon" }), undefined);
    assert.equal(rest(200, { "retry-after": "5" }), undefined);
  });

  it("is that of the RateLimit fields if nothing is left", () => {
    assert.equal(rest(200, { "ratelimit-remaining": "0", "ratelimit-reset": "7" }), 7_000);
    assert.equal(rest(200, { "ratelimit-remaining": "3", "ratelimit-reset": "7" }), undefined);
    assert.equal(rest(200, { "ratelimit-reset": "7" }), undefined);
    assert.equal(rest(429, { "ratelimit-reset": "7" }), 7_000);
    assert.equal(rest(200, { ratelimit: "limit=100, remaining=0, reset=30" }), 30_000);
    assert.equal(rest(200, { ratelimit: '"default";r=0;t=30' }), 30_000);
    assert.equal(rest(200, { ratelimit: '"default";r=9;t=30' }), undefined);
  });

  it("is the longer one of the two", () => {
    assert.equal(rest(429, { "retry-after": "5", "ratelimit-reset": "7" }), 7_000);
    assert.equal(rest(429, { "retry-after": "9", "ratelimit-reset": "7" }), 9_000);
  });

  it("is at most a year", () => {
    for (const field of ["retry-after", "ratelimit-reset"]) {
      assert.equal(
        rest(429, { [field]: field === "retry-after" ? "9".repeat(20) : "999999999" }),
        365 * 24 * 3_600_000,
      );
    }
  });

  it("may be a time, and is never negative or nonsense", () => {
    assert.equal(rest(429, { "ratelimit-reset": String(NOW / 1_000 + 60) }), 60_000);
    assert.equal(rest(429, { "ratelimit-reset": String(NOW / 1_000 - 60) }), 0);
    for (const value of ["", "-1", "soon", "1e9", "9".repeat(400)]) {
      assert.equal(rest(429, { "ratelimit-reset": value }), undefined);
    }
  });
});
