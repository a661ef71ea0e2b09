// What workers of meanwhile fetch --cluster say of a request.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { answerOf } from "../../src/fetch/far/answer.ts";
import { noOutcome } from "../../src/fetch/outcome.ts";

describe("the answer of a worker to a request", () => {
  it("is taken as it is if it is one", () => {
    const answers = [
      {
        bytes: 4,
        wireBytes: 4,
        status: 200,
        finalUrl: "http://a/",
        ttfbMs: 1.5,
        ip: "::1",
        type: "text/plain",
        body: "here",
      },
      {
        bytes: 0,
        status: 429,
        redirects: ["http://a/"],
        retryAfterMs: 1_000,
        failure: { code: "rate_limited", message: "429" },
      },
      { bytes: 0, isLocal: true, failure: { code: "dns", message: "no address" } },
    ];
    for (const answer of answers) assert.deepEqual(answerOf({ ...noOutcome(), ...answer }), answer);
  });

  it("is a failure of the request if it is none", () => {
    const good = { bytes: 1, status: 200 };
    const said = [
      null,
      5,
      [],
      {},
      { bytes: 1 },
      ...["x", -5, NaN, Infinity, 1.5, null].map((bytes) => ({ ...good, bytes })),
      ...[null, "timeout", {}, { code: "__proto__", message: "it" }, { code: "dns", message: 5 }].map((failure) => ({
        bytes: 1,
        failure,
      })),
      ...[{ status: "x" }, { finalUrl: 5 }, { ip: {} }, { body: { a: 1 } }, { redirects: [5] }, { redirects: "x" }].map(
        (field) => ({ ...good, ...field }),
      ),
      ...[{ retryAfterMs: Infinity }, { isLocal: 1 }, { file: "/etc/passwd" }].map((field) => ({ ...good, ...field })),
    ];
    for (const one of said) {
      const { bytes, failure } = answerOf(one);
      assert.deepEqual([bytes, failure?.code], [0, "protocol"], JSON.stringify(one));
    }
  });
});
