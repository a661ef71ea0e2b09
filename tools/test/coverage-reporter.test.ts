// The floors of coverage turn red, for the folder they are of and for that alone.

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";

import { type Outcome, runNode, TOOLS } from "./repository.ts";

const KERNEL = "packages/meanwhile/src/kernel/code.ts";
const FLOW = "packages/meanwhile/src/flow/code.ts";
const COVERED = `export function sign(n: number): string {\n  return n < 0 ? "-" : "+";\n}\n`;
const HALF = `${COVERED}export function never(): string {\n  return "never";\n}\n`;

function cover(files: Readonly<Record<string, string>>): Outcome {
  const imports = Object.keys(files).map((file, i) => `import * as file${i} from "./${file}";\n`);
  const calls = Object.keys(files).map((_, i) => `file${i}.sign?.(1), file${i}.sign?.(-1);\n`);
  const options = ["--experimental-test-coverage", "--test-coverage-include=packages/**"];
  return runNode(
    {
      ...files,
      "code.test.mjs": `import { test } from "node:test";\n${imports.join("")}test("it", () => {\n${calls.join("")}});\n`,
    },
    "--test",
    `--test-reporter=${join(TOOLS, "coverage-reporter.ts")}`,
    ...options,
    "code.test.mjs",
  );
}

describe("coverage-reporter", () => {
  it("accepts a kernel that is covered", () => {
    const { exitCode, output } = cover({ [KERNEL]: COVERED });
    assert.match(output, /^coverage: packages\/meanwhile\/src\/kernel\/ 3 of 3 lines, \d of \d branches$/m);
    assert.equal(exitCode, 0, output);
  });

  it("refuses a line of the kernel that never runs, and names it", () => {
    const { exitCode, output } = cover({ [KERNEL]: HALF });
    assert.match(output, /kernel\/code\.ts never runs line 5, 6/);
    assert.match(output, /kernel\/ 4 of 6 lines.*below 100 %/);
    assert.equal(exitCode, 1);
  });

  it("refuses a branch of the kernel that is never taken", () => {
    const { exitCode, output } = cover({ [KERNEL]: COVERED.replace("n < 0", "n < -5") });
    assert.match(output, /kernel\/code\.ts never takes a branch at line 2/);
    assert.equal(exitCode, 1);
  });

  it("refuses less than its floor of the rest", () => {
    const { exitCode, output } = cover({ [KERNEL]: COVERED, [FLOW]: HALF });
    assert.match(output, /src\/ 4 of 6 lines.*below 95 %/);
    assert.doesNotMatch(output, /below 100 %/);
    assert.equal(exitCode, 1);
  });

  it("asks nothing of a file of types", () => {
    const types = `/** One. */\nexport interface One {\n  readonly a: number;\n}\nexport type Two = One;\n`;
    const { exitCode, output } = cover({ [KERNEL]: COVERED, "packages/meanwhile/src/kernel/types.ts": types });
    assert.match(output, /kernel\/ 3 of 3 lines/);
    assert.equal(exitCode, 0, output);
  });
});
