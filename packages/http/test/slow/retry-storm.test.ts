// 500 clients against a server that fails everything: what trying again adds to its load, as it counts it itself.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { noteFigure } from "../../../../tools/figures.ts";
import { storm, type StormOptions } from "../retry-storm.ts";

const CLIENTS = 500;
const REQUESTS = Math.ceil(20 * Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1));
/** What a session may always try again, in a minute. */
const ALWAYS = 10;
const RATIO = 0.1;

describe(`${CLIENTS} clients of a server that fails everything`, () => {
  for (const failure of ["status", "reset", "mixed"] as const satisfies ReadonlyArray<StormOptions["failure"]>) {
    for (const sessions of [1, CLIENTS]) {
      it(`try again within the budget: ${failure}, ${sessions === 1 ? "of one session" : "each with its own session"}`, async () => {
        const started = performance.now();
        const { asked, extra, resent, failed, inUse } = await storm({
          clients: CLIENTS,
          sessions,
          requests: REQUESTS,
          failure,
        });
        assert.deepEqual({ failed, inUse }, { failed: asked, inUse: 0 });
        const budget = sessions * Math.max(ALWAYS, Math.floor((asked / sessions) * RATIO));
        assert.ok(extra - resent <= budget, `${extra} more than ${asked} requests, ${resent} of them sent anew`);
        const note = `${failure}: ${extra - resent} retries, of ${budget} that may be; ${resent} sent anew on another connection`;
        const proof = sessions === 1 ? "storm of 500 tasks" : "storm of 500 sessions";
        noteFigure(`${proof}: ${failure}`, { count: asked, unit: "requests", ms: performance.now() - started, note });
      });
    }
  }
});
