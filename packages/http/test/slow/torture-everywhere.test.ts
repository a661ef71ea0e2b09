// Everything a session is used for, cancelled at every moment, and with each call that waits failing.

import { describe, it } from "node:test";

import { type Scenario, TestError, torture, type TortureReport } from "meanwhile/testing";

import { noteFigure } from "../../../../tools/figures.ts";
import { isExpected, TorturePlace } from "../torture-places.ts";
import { USE_CASES, type World } from "../torture-scenarios.ts";

const SCALE = Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1);
/** At how many moments of real time each is cancelled. */
const MOMENTS = Math.ceil(200 * SCALE);
/** Of how many pairs of points both are cancelled. */
const PAIRS = Math.ceil(100 * SCALE);
const PROOF = "torture of sessions";

/** Cancels after so many turns of the event loop, and returns how many there were. */
async function tryFor(place: TorturePlace, turns: number): Promise<number> {
  let passed = 0;
  let immediate: NodeJS.Immediate | undefined;
  await place.try({
    onStart: (cancel) => {
      const turn = (): void => {
        if (passed === turns) return cancel();
        passed += 1;
        immediate = setImmediate(turn);
      };
      turn();
    },
  });
  clearImmediate(immediate);
  return passed;
}

/** In how many pieces a body comes is not up to us: where a point does not come again, all begins anew. */
async function tortured<T>(scenario: Scenario<World, T>): Promise<TortureReport> {
  for (let left = 5; ; left--) {
    try {
      return await torture(scenario, { inject: "both", pairs: PAIRS });
    } catch (error) {
      if (left === 0 || !(error instanceof TestError) || error.code !== "MW_ERR_NOT_DETERMINISTIC") throw error;
    }
  }
}

describe("whatever a session is used for leaves no slot, no socket and no file", () => {
  for (const useCase of USE_CASES) {
    it(`cancelled or failing at any point: ${useCase.name}`, async (t) => {
      const started = performance.now();
      await using place = await TorturePlace.open(useCase);
      const scenario = {
        setup: () => place.world(),
        run: useCase.run,
        check: place.refuseLeftovers.bind(place),
        expectErrors: isExpected,
      };
      const { runs, points, outcomes } = await tortured(scenario);
      t.diagnostic(JSON.stringify({ runs, points: points.length, outcomes }));
      noteFigure(PROOF, { count: runs, unit: "runs, at each checkpoint and wait", ms: performance.now() - started });
    });

    it(`cancelled at ${MOMENTS} moments: ${useCase.name}`, async () => {
      const started = performance.now();
      await using place = await TorturePlace.open(useCase);
      await tryFor(place, Infinity);
      const all = await tryFor(place, Infinity);
      for (let moment = 0; moment < MOMENTS; moment++) await tryFor(place, Math.floor((moment * all) / MOMENTS));
      noteFigure(PROOF, { count: MOMENTS, unit: "runs, at moments of real time", ms: performance.now() - started });
    });
  }
});
