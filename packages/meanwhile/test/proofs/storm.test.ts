// Two seconds of a storm of cancellations, in virtual time; test/slow/proofs has fifty real ones.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runTest } from "meanwhile/testing";

import { CROWDS } from "./storm-crowds.ts";
import { weather } from "./storm.ts";

describe("Workers get on in a storm of cancellations", () => {
  for (const [name, makeCrowd] of Object.entries(CROWDS)) {
    it(`with ${name}`, async () => {
      const { cancelled } = await runTest(() => weather(makeCrowd(), 2_000, 1));
      assert.ok(cancelled > 1_000, `only ${cancelled} were cancelled`);
    });
  }
});
