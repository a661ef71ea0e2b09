// Each rule of check-errors.ts turns red on a tree that breaks that rule alone.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runTool } from "./repository.ts";

const ROW = "| `MW_ERR_USED` | it happened | undo it |\n";
const SOUND = {
  "docs/errors.md": ROW,
  "packages/meanwhile/src/errors.ts": `export class UsageError extends Error {}\n`,
  "packages/meanwhile/src/a.ts": `
    const stack = new Error().stack;
    throw new UsageError("MW_ERR_USED", \`Cannot use \${stack}: it was used before; make a new one\`, { cause: stack });\n`,
};

function check(statement: string, table: string = ROW): ReturnType<typeof runTool> {
  return runTool("check-errors.ts", { ...SOUND, "docs/errors.md": table, "packages/http/src/b.ts": statement });
}

describe("check-errors", () => {
  it("accepts an error with a code, a text and a row", () => {
    assert.deepEqual(check(""), { exitCode: 0, output: "" });
  });

  const broken: Record<string, [statement: string, complaint: RegExp]> = {
    "a thrown native error": [`throw new Error("no");`, /b\.ts:1 makes a native error/],
    "a thrown native error without a text": [`throw new Error();`, /native error/],
    "a native error that is not thrown": [`reject(new TypeError("no"));`, /native error/],
    "a native error called without new": [`reject(RangeError("no"));`, /native error/],
    "a code of another form": [`throw new UsageError("ERR_USED", "Cannot");`, /has the code ERR_USED/],
    "a code with a small letter": [`const code = "MW_ERR_Used";`, /has the code MW_ERR_Used/],
    "a code without a row": [`throw new UsageError("MW_ERR_OTHER", "Cannot");`, /uses MW_ERR_OTHER: add a row/],
    "a warning without a row": [`emit("MW_WARN_OTHER");`, /uses MW_WARN_OTHER: add a row/],
    "a text with a full stop": [`throw new UsageError("MW_ERR_USED", "Cannot " + \`a \${b}.\`);`, /full stop/],
    "a text with a contraction": [`warn("MW_ERR_USED", "it doesn't work");`, /contraction "doesn't"/],
    "a text in a super call": [`class A extends B { constructor() { super("MW_ERR_USED", "No."); } }`, /full stop/],
  };
  for (const [what, [statement, complaint]] of Object.entries(broken)) {
    it(`refuses ${what}`, () => {
      const { exitCode, output } = check(statement);
      assert.match(output, complaint);
      assert.equal(exitCode, 1);
    });
  }

  it("refuses a row that nothing uses", () => {
    assert.match(check("", `${ROW}| \`MW_ERR_GONE\` | a | b |\n`).output, /lists MW_ERR_GONE, which nothing/);
  });

  it("refuses a code listed twice", () => {
    assert.match(check("", ROW + ROW).output, /lists MW_ERR_USED twice/);
  });

  it("refuses a row that does not say what to do", () => {
    assert.match(check("", "| `MW_ERR_USED` | it happened |  |\n").output, /leaves a cell of MW_ERR_USED empty/);
  });

  it("refuses a row of another form", () => {
    assert.match(check("", "| MW_ERR_USED | it happened |\n").output, /errors\.md: not "\| code/);
  });
});
