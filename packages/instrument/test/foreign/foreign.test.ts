// Programs over code that was not written for meanwhile, cancelled at each of their awaits.

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";

import { attempt, cancelEverywhere } from "./driver.ts";
import { GROUPS, load } from "./load.ts";
import { Place } from "./world.ts";

const place = await Place.open();
after(() => place[Symbol.asyncDispose]());

for (const [group, { plain, instrumented }] of await load(GROUPS)) {
  describe(`Instrumented code over ${group}`, () => {
    for (const [name, scenario] of Object.entries(instrumented)) {
      it(`does the same as before, if it is not cancelled: ${name}`, async () => {
        const trial = await attempt(scenario, place);
        assert.equal(trial.outcome, scenario.isEndless === true ? "cancelled" : "value");
        if (scenario.isEndless === true) return;
        assert.deepEqual(trial.value, (await attempt(plain[name] ?? scenario, place)).value);
      });
      it(`cleans up from the inside out and leaves nothing, wherever it is cancelled: ${name}`, async () => {
        const { runs } = await cancelEverywhere(scenario, place, ["before it", "a turn later"]);
        assert.ok(runs > 0);
      });
    }
  });
}
