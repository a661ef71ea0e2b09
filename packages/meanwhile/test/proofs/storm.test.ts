// Two seconds of a storm of cancellations, in virtual time; test/slow/proofs has fifty real ones.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runTest } from "meanwhile/testing";

import { onThisHost } from "./figures.ts";
import { CROWDS } from "./storm-crowds.ts";
import { weather } from "./storm.ts";

/** Each worker is looked at every half second. */
const STORM_MS = Math.max(500, onThisHost(2_000));

describe("Workers get on in a storm of cancellations", () => {
  for (const [name, makeCrowd] of Object.entries(CROWDS)) {
    it(`with ${name}`, async () => {
      const { cancelled } = await runTest(() => weather(makeCrowd(), STORM_MS, 1));
      assert.ok(cancelled > STORM_MS / 4, `only ${cancelled} were cancelled`);
    });
  }
});
