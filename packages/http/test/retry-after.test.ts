import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ClientSession, retryAfterMs, StatusError } from "@meanwhile/http";

import { answering, serveRaw } from "./servers.ts";

describe("retryAfterMs", () => {
  const cases: ReadonlyArray<[string, number | undefined]> = [
    ["", undefined],
    ["Retry-After: 0\r\n", 0],
    ["Retry-After:  120 \r\n", 120_000],
    ["Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n", 0],
    ["Retry-After: 1\r\nRetry-After: 2\r\n", 1_000],
    ["Retry-After: soon\r\n", undefined],
    ["Retry-After: -1\r\n", undefined],
    ["Retry-After: 1.5\r\n", undefined],
    ["Retry-After: 2030\r\nX: y\r\n", 2_030_000],
    [`Retry-After: Fri, ${"9".repeat(100)}\r\n`, undefined],
  ];
  for (const [field, expected] of cases) {
    it(`is ${expected} for ${JSON.stringify(field)}`, async () => {
      await using server = await serveRaw(answering(`HTTP/1.1 429 Slow down\r\n${field}Content-Length: 0\r\n\r\n`));
      await using session = new ClientSession({ raiseForStatus: true });
      await assert.rejects(
        session.get(server.url),
        (error) => error instanceof StatusError && error.retryAfterMs === expected,
      );
    });
  }

  const noon = Date.UTC(2026, 10, 23, 12);
  const dates: ReadonlyArray<[string, number | undefined]> = [
    ["Mon, 23 Nov 2026 12:00:30 GMT", 30_000],
    ["Mon, 23 Nov 2026 11:00:00 GMT", 0],
    ["Monday, 23-Nov-26 12:00:30 GMT", 30_000],
    ["Mon Nov 23 12:00:30 2026", 30_000],
    ["Mon Dec  7 12:00:00 2026", 14 * 24 * 3_600_000],
    ["Mon, 23 Nov 2026 12:00:30", 30_000],
    ["Monday, 23-Nov-26 12:00:30", 30_000],
    ["Mon Nov 23 2026 13:00:30 GMT+0100 (CET)", 30_000],
    ["Mon, 23 Nov 2026 07:00:30 -0500", 30_000],
    ["Mon, 99 Xyz 2026 12:00:30 GMT", undefined],
    ["Mon, 23 Nov 2026", undefined],
    ["2026-11-23T12:00:30Z", undefined],
    ["Mon", undefined],
    ["1e9", undefined],
  ];
  for (const [text, expected] of dates) {
    it(`is ${expected} for ${JSON.stringify(text)}, in whatever zone the program runs`, () => {
      const { TZ } = process.env;
      try {
        for (const zone of ["UTC", "America/New_York", "Asia/Kathmandu"]) {
          process.env["TZ"] = zone;
          assert.equal(retryAfterMs(text, noon), expected, zone);
        }
      } finally {
        if (TZ === undefined) delete process.env["TZ"];
        else process.env["TZ"] = TZ;
      }
    });
  }

  it("takes what both kinds of header fields give for a missing one", () => {
    assert.equal(retryAfterMs(new Headers().get("retry-after")), undefined);
    assert.equal(retryAfterMs(undefined), undefined);
    assert.equal(retryAfterMs(["7", "9"]), 7_000);
    assert.equal(retryAfterMs([]), undefined);
  });
});
