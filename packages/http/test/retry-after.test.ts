import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ClientSession, StatusError } from "@meanwhile/http";

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
});
