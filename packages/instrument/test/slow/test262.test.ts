// The conformance tests of the language, each as it is and transformed: both have to end the same way.
// MEANWHILE_TEST262 names a checkout of https://github.com/tc39/test262; without it there is nothing to run.
// MEANWHILE_TEST262_RUNTIME names a module that exports `runtime`, in place of one that passes all through.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { it } from "node:test";

const checkout = process.env["MEANWHILE_TEST262"];
const runtime = process.env["MEANWHILE_TEST262_RUNTIME"];
const SHARDS = Math.min(availableParallelism(), 8);
const FLAGS = ["--conditions=@meanwhile/source", "--experimental-vm-modules", "--no-warnings"];

interface Figures {
  readonly tests: number;
  readonly runs: number;
  readonly completed: number;
  readonly transformed: number;
  readonly differing: ReadonlyArray<string>;
}

function shard(index: number, folder: string): Promise<Figures> {
  const runner = join(import.meta.dirname, "test262-runner.ts");
  const args = [...FLAGS, runner, folder, String(index), String(SHARDS), ...(runtime === undefined ? [] : [runtime])];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { maxBuffer: 2 ** 28 }, (error, stdout) => {
      if (error === null) resolve(JSON.parse(stdout) as Figures);
      else reject(error);
    });
  });
}

it("ends as before in every test of test262 about async code", { skip: checkout === undefined }, async (context) => {
  const all = await Promise.all(Array.from({ length: SHARDS }, (_, index) => shard(index, checkout ?? "")));
  const sum = (key: "tests" | "runs" | "completed" | "transformed"): number =>
    all.reduce((total, figures) => total + figures[key], 0);
  context.diagnostic(
    `${sum("tests")} tests, ${sum("transformed")} of them transformed; ${sum("runs")} runs, ${sum("completed")} complete`,
  );
  assert.ok(sum("transformed") > 2_500);
  assert.deepEqual(
    all.flatMap((figures) => figures.differing),
    [],
  );
});
