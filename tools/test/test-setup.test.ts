// A test file under test-setup.ts turns red on warnings, leftovers and rejections, and not on a warning it announced.

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";

import { type Outcome, runNode, TOOLS } from "./repository.ts";

const SETUP = pathToFileURL(join(TOOLS, "test-setup.ts")).href;

function runTest(body: string): Outcome {
  const file = `import { it } from "node:test";\nimport { expectWarning } from "${SETUP}";\nit("x", async () => {\n${body}\n});\n`;
  return runNode({ "x.test.mjs": file }, "--import", SETUP, "--test", "x.test.mjs");
}

describe("test-setup", () => {
  it("lets a test announce a warning and read it", () => {
    const { output, exitCode } = runTest(`
      await using warnings = expectWarning("MW_WARN_X");
      process.emitWarning("told", { code: "MW_WARN_X" });
      if ((await warnings.first()).message !== "told") throw new Error("other");`);
    assert.match(output, /pass 1/);
    assert.equal(exitCode, 0);
  });

  it("lets a warning announced by its name come just before the end of the block", () => {
    assert.equal(runTest(`await using _ = expectWarning("Warning"); process.emitWarning("told");`).exitCode, 0);
  });

  const broken: Record<string, [body: string, complaint: RegExp]> = {
    "a warning nobody announced": [`process.emitWarning("surprise");`, /Unexpected process warning: surprise/],
    "a warning with another code": [
      `await using _ = expectWarning("MW_WARN_X"); process.emitWarning("surprise", { code: "MW_WARN_Y" });`,
      /Unexpected process warning: surprise/,
    ],
    "an announced warning that does not come": [`await using _ = expectWarning("MW_WARN_X");`, /MW_WARN_X: none came/],
    "a timer left running": [`setTimeout(() => {}, 60_000);`, /Still running after the last test: .*Timeout/],
    "an unhandled rejection": [`Promise.reject(new Error("lost"));`, /lost/],
  };
  for (const [what, [body, complaint]] of Object.entries(broken)) {
    it(`refuses ${what}`, () => {
      const { output, exitCode } = runTest(body);
      assert.match(output, complaint);
      assert.equal(exitCode, 1);
    });
  }
});
