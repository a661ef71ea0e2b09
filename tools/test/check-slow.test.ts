// check-slow.ts adds up what the checks have done, and turns red when one of them does.

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";

import { runTool, TOOLS } from "./repository.ts";

const FIGURES = pathToFileURL(join(TOOLS, "figures.ts")).href;

function check(body: string, ...args: string[]): ReturnType<typeof runTool> {
  const file = `
import { it } from "node:test";
import { noteFigure } from ${JSON.stringify(FIGURES)};
it("x", () => {\n${body}\n});\n`;
  return runTool("check-slow.ts", { "packages/x/test/slow/a/x.test.ts": file }, ...args);
}

describe("check-slow", () => {
  it("makes a table of the figures, with those of one kind added up", () => {
    const { exitCode, output } = check(
      `noteFigure("races", { count: 1_000, unit: "races", ms: 1_500 });
       noteFigure("races", { count: 234, unit: "races", ms: 500, note: "all fair" });
       noteFigure("storm", { count: 5, unit: "rounds", ms: 0 });`,
      "tests",
    );
    assert.match(
      output,
      /^races {2}1,234 {2}races {3}2\.0 s {2}all fair\nstorm {6}5 {2}rounds\n\ntests: pass in \d+ s$/m,
    );
    assert.equal(exitCode, 0);
  });

  const broken: Record<string, [args: readonly string[], complaint: RegExp]> = {
    "a check that fails": [["tests"], /^tests: FAIL in \d+ s$/m],
    "a check that there is not": [["fun"], /There is no check "fun"; the checks are tests, mutations, flakes/],
  };
  for (const [what, [args, complaint]] of Object.entries(broken)) {
    it(`refuses ${what}`, () => {
      const { exitCode, output } = check("throw new Error();", ...args);
      assert.match(output, complaint);
      assert.equal(exitCode, 1);
    });
  }
});
