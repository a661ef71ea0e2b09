import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { invariant } from "../../src/util/invariant.ts";

describe("invariant", () => {
  it("does nothing while the condition holds", () => {
    invariant(true, "one is one");
  });

  it("throws an error that asks for a report", () => {
    assert.throws(() => invariant(false, "one is two"), {
      name: "InternalError",
      code: "MW_ERR_INTERNAL",
      message: "one is two; this is a defect of meanwhile, please report it",
    });
  });
});
