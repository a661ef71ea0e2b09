// The test suites of other people's projects, as they are, instrumented, and instrumented inside of a run: each test has to
// end the same way. MEANWHILE_PROJECTS names a folder of checkouts; without it there is nothing to run.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { noteFigure } from "../../../../tools/figures.ts";
import { checkoutOf, countOf, differencesOf, install, PROJECTS, runTests } from "./projects.ts";

const folder = process.env["MEANWHILE_PROJECTS"];

describe("The tests of a project", { skip: folder === undefined }, () => {
  for (const project of PROJECTS) {
    const { repository, leavesOut } = project;
    const checkout = checkoutOf(project, folder ?? "");
    it(`end as before: ${repository}`, { skip: checkout === null }, async (context) => {
      install(project, checkout ?? "");
      const plain = await runTests(project, checkout ?? "", "plain");
      const passed = countOf(plain, "ok");
      assert.ok(passed > 0, plain.output);
      for (const mode of ["instrumented", "in a run"] as const) {
        const results = await runTests(project, checkout ?? "", mode);
        context.diagnostic(
          `${mode}: ${countOf(results, "ok")} passed, ${countOf(results, "not ok")} failed (plain: ${passed} and ${countOf(plain, "not ok")}); ${results.files.size} files instrumented, ${results.calls} calls in a run, ${(results.ms / 1_000).toFixed(1)} s (plain: ${(plain.ms / 1_000).toFixed(1)} s)`,
        );
        assert.deepEqual(differencesOf(plain, results, leavesOut), []);
        assert.ok(results.files.size > 0, "its files are instrumented");
        if (mode === "in a run") assert.ok(results.calls > 0, "its functions are called in the run");
        noteFigure("tests of other projects", {
          count: countOf(results, "ok"),
          unit: `tests of ${repository}, ${mode}`,
          ms: results.ms,
        });
      }
    });
  }
});
