// check-docs.ts finds every block, and turns red when one has a type error, fails, or prints something else than it says.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";

import { runTool } from "./repository.ts";

const PACKAGE = {
  "tsconfig.json": readFileSync(join(import.meta.dirname, "../../tsconfig.json"), "utf8"),
  "package.json": `{ "type": "module" }`,
  "packages/meanwhile/package.json": JSON.stringify({
    name: "meanwhile",
    type: "module",
    exports: { ".": { "@meanwhile/source": "./src/index.ts" } },
  }),
  "packages/meanwhile/src/index.ts": `export { twice, type Pair } from "./twice.ts";\n`,
  "packages/meanwhile/src/twice.ts": `export type Pair = [number, number];
export class Twice {
  /**
   * Doubles.
   *
   * @example
   * \`\`\`ts
   * const pair: Pair = [1, 2];
   * console.log(twice(pair[1])); //> 4
   * \`\`\`
   */
  go(): void {}
}
export function twice(n: number): number {
  return 2 * n;
}
`,
};

function check(code: string, info = "ts"): ReturnType<typeof runTool> {
  return runTool("check-docs.ts", { ...PACKAGE, "README.md": `# Title\n\n\`\`\`${info}\n${code}\n\`\`\`\n` });
}

describe("check-docs", () => {
  it("runs the blocks of the README and of doc comments", () => {
    const { exitCode, output } = check(`import { twice } from "meanwhile";\nconsole.log(twice(2));\n//> 4`);
    assert.equal(output, "2 blocks checked, 2 of them run\n");
    assert.equal(exitCode, 0);
  });

  it("lets … in an expected line stand for anything", () => {
    assert.equal(check(`console.log("took 12.5 ms in all"); //> took … ms in all`).exitCode, 0);
  });

  it("checks a block marked no-run without running it", () => {
    assert.equal(check(`process.exit(1);`, "ts no-run").exitCode, 0);
    assert.equal(check(`const n: string = 1;`, "ts no-run").exitCode, 1);
  });

  it("checks a block that declares what it needs without running it", () => {
    assert.match(check(`declare const url: string;\nurl.trim();`).output, /2 blocks checked, 1 of them run/);
  });

  it("leaves blocks in other languages alone", () => {
    assert.match(check(`not code`, "sh").output, /^1 blocks checked/);
  });

  const broken: Record<string, [code: string, complaint: RegExp]> = {
    "a type error, at its line": [`\nconst n: string = twice(2);`, /README\.md:5.*TS2322/],
    "a missing import among others": [`import "meanwhile";\ntwice(2);`, /README\.md:5.*twice/],
    "a block that throws, at its line": [
      `const a = 1;\nthrow new Error("no");`,
      /README\.md:4 ends with 1:[^]*README\.md:5/,
    ],
    "another output than it says": [`console.log(twice(2));\n//> 5`, /README\.md:4 prints\n {2}4\nbut says\n {2}5/],
    "an output line too many": [`console.log(4);\n//> 4\nconsole.log(5);`, /prints\n {2}4\n {2}5\nbut says\n {2}4/],
    "a promise that never settles": [`await new Promise(() => {});`, /ends with 13/],
  };
  for (const [what, [code, complaint]] of Object.entries(broken)) {
    it(`refuses ${what}`, () => {
      const { exitCode, output } = check(code);
      assert.match(output, complaint);
      assert.equal(exitCode, 1);
    });
  }
});
