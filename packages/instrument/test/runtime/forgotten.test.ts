// Calls of async functions whose promise is dropped.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { load, logOf } from "./harness.ts";
import type * as programs from "./programs/forgotten.ts";

const { instrumented: program } = await load<typeof programs>("forgotten");

describe("a call whose promise is dropped", () => {
  it("is reported once for each place", async () => {
    await using warnings = expectWarning("MW_WARN_NEVER_AWAITED");
    const log = await logOf(program.forgets, { expectWarnings: ["MW_WARN_NEVER_AWAITED"] });
    assert.deepEqual(log, ["saved", "saved", "returns"]);
    assert.match(
      (await warnings.first()).message,
      /^The promise of "save" was never awaited: called at .*forgotten\.ts:14:5; write `await save\(log\)`, or `void save\(log\)` if nobody needs to know when and how it ends$/,
    );
    assert.equal(warnings.seen.length, 1);
  });

  it("is reported of a method", async () => {
    await using warnings = expectWarning("MW_WARN_NEVER_AWAITED");
    const log = await logOf(program.forgetsMethod, { expectWarnings: ["MW_WARN_NEVER_AWAITED"] });
    assert.deepEqual(log, ["saved", "returns"]);
    assert.match(
      (await warnings.first()).message,
      /^The promise of "save" was never awaited: called at .*forgotten\.ts.*`await store\.save\(\)`/,
    );
  });

  it("is none if it is void, kept, or not that of an instrumented function", async () => {
    assert.deepEqual(await logOf(program.doesNotForget), ["goes on", "saved", "saved later", "saved", "returns"]);
  });
});
