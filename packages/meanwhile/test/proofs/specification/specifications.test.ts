// Every primitive does what a model of it does; test/slow/proofs tries many times as many programs.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { checkSequentially } from "meanwhile/testing";

import { errorOf } from "../../util/outcomes.ts";
import { proveSpecifications, SIZE } from "./prove-specifications.ts";
import { SPECIFICATIONS } from "./specifications.ts";

const PROGRAMS = 250;

/** Enough to find each of the mistakes; most show within fifty. */
const MOST_PROGRAMS = 2_000;

proveSpecifications(1, PROGRAMS);

describe("A specification with a mistake", () => {
  for (const [name, { wrong, mistake }] of Object.entries(SPECIFICATIONS)) {
    it(`is not met: ${name}, if ${mistake}`, async () => {
      const error = await errorOf(checkSequentially(wrong, { ...SIZE, schedules: MOST_PROGRAMS }));
      assert.equal(error.code, "MW_ERR_NOT_SEQUENTIAL");
    });
  }
});
