import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { reportSuppressed } from "meanwhile/lowlevel";

import { expectWarning } from "../../../../tools/test-setup.ts";

interface Report {
  readonly message: string;
  readonly detail?: string;
}

async function reportOf(error: unknown): Promise<Report> {
  await using warnings = expectWarning("MW_WARN_SUPPRESSED");
  reportSuppressed(error, "Here");
  return warnings.first();
}

const BESIDE = "Here: another error is thrown, beside it there was";

describe("The report of a suppressed error", () => {
  it("names the error and has its stack", async () => {
    const { message, detail } = await reportOf(new RangeError("too far"));
    assert.equal(message, `${BESIDE} RangeError: too far`);
    assert.match(detail ?? "", /^RangeError: too far\n +at .*reports\.test\.ts/);
  });

  it("names what is thrown that is no error", async () => {
    const { message, detail } = await reportOf("just text");
    assert.equal(message, `${BESIDE} "just text"`);
    assert.equal(detail, undefined);
  });

  it("names every error that it is made of, and has their stacks", async () => {
    const cause = new Error("disk full");
    const cleanup = new SuppressedError(new Error("close failed"), new Error("write failed", { cause }), "both");
    const { message, detail } = await reportOf(new AggregateError([cleanup, "text"], "two jobs failed"));
    assert.equal(
      message,
      `${BESIDE} AggregateError: two jobs failed (from "text"; Error: close failed; Error: write failed; Error: disk full)`,
    );
    for (const name of ["two jobs failed", "close failed", "write failed", "disk full"]) {
      assert.ok(detail?.includes(`: ${name}\n`), name);
    }
  });

  it("names the first ten of very many, each once, and survives a circle", async () => {
    const errors = Array.from({ length: 5_000 }, (_, index) => new Error(`e${index}`));
    const many = new AggregateError([...errors, ...errors], "many");
    many.cause = many;
    const { message, detail } = await reportOf(many);
    assert.match(message, /many \(from Error: e0; .*Error: e9; and 4990 more\)$/);
    assert.ok(detail !== undefined && detail.includes("Error: e9\n"));
    assert.equal(detail.includes("Error: e10\n"), false);
  });
});
