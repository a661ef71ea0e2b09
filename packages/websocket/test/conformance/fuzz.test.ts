import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ENDPOINTS, fuzz } from "./fuzz.ts";

// More of them: test/slow/fuzz.test.ts.
const FRAMES = 500;

describe("mutated frames", () => {
  for (const [name, endpoint] of Object.entries(ENDPOINTS)) {
    it(`end in a message or a close code that is documented: ${name}`, async () => {
      const outcome = await fuzz(endpoint, FRAMES);
      assert.ok((outcome.get(0) ?? 0) > FRAMES / 20, "some are messages");
      for (const code of [1002, 1007]) assert.ok((outcome.get(code) ?? 0) > 0, `some end with ${code}`);
    });
  }
});
