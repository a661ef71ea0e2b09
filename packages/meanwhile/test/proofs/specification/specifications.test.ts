// Every primitive does what a model of it does; test/slow/proofs tries many times as many programs.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { checkSequentially } from "meanwhile/testing";

import { errorOf } from "../../util/outcomes.ts";
import { onThisHost } from "../figures.ts";
import { proveSpecifications, sizeOf } from "./prove-specifications.ts";
import { SPECIFICATIONS } from "./specifications.ts";

const PROGRAMS = onThisHost(500);

/** Enough to find each of the mistakes; all show within four hundred. */
const MOST_PROGRAMS = 2_000;

proveSpecifications(1, PROGRAMS);

describe("A specification with a mistake", () => {
  for (const [name, specification] of Object.entries(SPECIFICATIONS)) {
    it(`is not met: ${name}, if ${specification.mistake}`, async () => {
      const error = await errorOf(
        checkSequentially(specification.wrong, { ...sizeOf(specification), schedules: MOST_PROGRAMS }),
      );
      assert.equal(error.code, "MW_ERR_NOT_SEQUENTIAL");
    });
  }
});
