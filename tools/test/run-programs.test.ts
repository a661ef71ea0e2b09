// run-examples.ts and test-host.ts turn red when a program or a test fails, and when there is nothing to run.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Outcome, runTool } from "./repository.ts";

describe("run-examples", () => {
  it("runs each program", () => {
    const { output, exitCode } = runTool("run-examples.ts", { "examples/a.ts": "", "examples/b.ts": "" });
    assert.match(output, /^examples\/[ab]\.ts: .* s\nexamples\/[ab]\.ts: .* s\n$/);
    assert.equal(exitCode, 0);
  });

  it("refuses a program that ends with another exit code than 0, and shows what it printed", () => {
    const { output, exitCode } = runTool("run-examples.ts", {
      "examples/a.ts": `console.log("seen"); process.exit(3);`,
    });
    assert.match(output, /examples\/a\.ts ends with 3 after .* s:\nseen/);
    assert.equal(exitCode, 1);
  });

  it("refuses a folder without examples", () => {
    assert.equal(runTool("run-examples.ts", {}).exitCode, 1);
  });
});

describe("test-host", () => {
  const PASSING = `import { it } from "node:test";\nit("a", () => {});\n`;
  const FAILING = `import { it } from "node:test";\nit("b", () => { throw new Error("bad"); });\n`;

  function run(second: string, row: string): Outcome {
    const files = {
      "packages/meanwhile/test/a.test.ts": PASSING,
      "packages/meanwhile/test/sync/b.test.ts": second,
      "packages/meanwhile/test/slow/c.test.ts": FAILING,
      "compat/hosts.md": row,
    };
    return runTool("test-host.ts", files, "bun");
  }

  it("runs every test file but the slow ones and says how many tests passed", () => {
    const { output, exitCode } = run(PASSING, "");
    assert.equal(output, "bun: 2 tests pass in 2 files, 0 files left out\n");
    assert.equal(exitCode, 0);
  });

  it("leaves out a file that has a row for this host", () => {
    assert.equal(run(FAILING, "| bun | `sync/b.test.ts` | no signals |\n").exitCode, 0);
  });

  it("refuses a failing test, and shows it", () => {
    const { output, exitCode } = run(FAILING, "| deno | `sync/b.test.ts` | no signals |\n");
    assert.match(output, /bad[^]*the tests of the core fail/);
    assert.equal(exitCode, 1);
  });

  it("does not take a row without a reason", () => {
    assert.equal(run(FAILING, "| bun | `sync/b.test.ts` | |\n").exitCode, 1);
  });

  it("refuses a row for a file that is not there", () => {
    assert.match(run(PASSING, "| bun | `gone.test.ts` | no signals |\n").output, /gone\.test\.ts, which is not there/);
  });

  it("refuses a host it does not know", () => {
    assert.equal(runTool("test-host.ts", {}, "netscape").exitCode, 1);
  });
});
