import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { TorturePlace } from "./torture-places.ts";
import { USE_CASES } from "./torture-scenarios.ts";

// The slow tests cancel everywhere else, too.
describe("whatever a session is used for, cancelled at any step of any of its requests, leaves nothing", () => {
  for (const useCase of USE_CASES) {
    it(useCase.name, async () => {
      await using place = await TorturePlace.open(useCase);
      let steps = 0;
      for (let at = 1; at === 1 || steps >= at - 1; at++) {
        steps = 0;
        await place.try({
          onStep: (cancel) => {
            steps += 1;
            if (steps === at) cancel();
          },
        });
      }
      assert.ok(steps >= 3, `${steps} steps`);
    });
  }
});
