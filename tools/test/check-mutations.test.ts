// check-mutations.ts turns red on a bug that nobody notices, and on one that proves nothing.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runTool } from "./repository.ts";

const ADD = `export const add = (a: number, b: number): number => a + b;\n`;
const TEST = `
import assert from "node:assert/strict";
import { it } from "node:test";
import { add } from "meanwhile";
it("adds", () => assert.equal(add(2, 3), 5));\n`;

interface Bug {
  readonly file?: string;
  readonly from: string;
  readonly to: string;
  readonly tests?: readonly string[];
}

function check(bugs: readonly Bug[], test: string = TEST): ReturnType<typeof runTool> {
  const mutations = bugs.map((bug, i) => ({ bug: `bug ${i}`, file: "index.ts", tests: ["add.test.ts"], ...bug }));
  return runTool("check-mutations.ts", {
    "packages/meanwhile/package.json": JSON.stringify({
      name: "meanwhile",
      type: "module",
      exports: { ".": { "@meanwhile/source": "./src/index.ts" } },
    }),
    "packages/meanwhile/src/index.ts": ADD,
    "packages/meanwhile/test/add.test.ts": test,
    "tools/test-setup.ts": "",
    "tools/mutations/index.ts": `export const MUTATIONS = ${JSON.stringify(mutations)};`,
  });
}

const CAUGHT: Bug = { from: "a + b", to: "a - b" };

describe("check-mutations", () => {
  it("tells which test caught each bug", () => {
    const { exitCode, output } = check([CAUGHT, { from: "a + b", to: "a" }]);
    assert.match(output, /bug 0\n +caught by add\.test\.ts: adds$/m);
    assert.match(output, /^2 of 2 bugs are caught$/m);
    assert.equal(exitCode, 0);
  });

  it("runs only the tests that the pattern names", () => {
    const { exitCode, output } = check([{ ...CAUGHT, tests: ["add.test.ts#adds$"] }]);
    assert.match(output, /^1 of 1 bugs are caught$/m, output);
    assert.equal(exitCode, 0);
  });

  const broken: Record<string, [bugs: readonly Bug[], complaint: RegExp, test?: string]> = {
    "a bug that survives": [[CAUGHT, { from: "a + b", to: "b + a" }], /^1 of 2 bugs[^]*^Survived: "bug 1" /m],
    "a pattern that names no test that notices": [
      [{ ...CAUGHT, tests: ["add.test.ts#nothing"] }],
      /^Survived: "bug 0"/m,
    ],
    "a text that is not there any more": [[{ from: "a * b", to: "a" }], /"bug 0" no longer applies: .* 0 times/],
    "a text that is there twice": [[{ from: "number", to: "string" }], /"bug 0" no longer applies: .* 3 times/],
    "a bug that changes nothing": [[{ from: "a + b", to: "a + b" }], /"bug 0" changes nothing/],
    "a bug that is no code": [[{ from: "a + b", to: "a +" }], /"bug 0" is not TypeScript/],
    "a bug that cannot even be loaded": [[{ from: "export", to: "missing(); export" }], /"bug 0" cannot be loaded/],
    "a test that fails without any bug": [
      [CAUGHT],
      /add\.test\.ts fails without any bug: adds/,
      TEST.replace("5", "6"),
    ],
    "no bugs at all": [[], /^0 of 0 bugs/m],
  };
  for (const [what, [bugs, complaint, test]] of Object.entries(broken)) {
    it(`refuses ${what}`, () => {
      const { exitCode, output } = check(bugs, test);
      assert.match(output, complaint);
      assert.equal(exitCode, 1);
    });
  }
});
