// A megabyte of ordinary source is transformed in the time it takes to notice.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";

import { transform } from "../../src/index.ts";

const PACKAGES = join(import.meta.dirname, "../../..");
const TRIES = 8;
const LIMIT_MS = 300;

it("takes less than 300 ms for 1 MB of our sources and tests", (context) => {
  const files = globSync("*/{src,test}/**/*.ts", { cwd: PACKAGES });
  const sources = files.map((id) => ({ id, code: readFileSync(join(PACKAGES, id), "utf8") }));
  const megabytes = sources.reduce((sum, { code }) => sum + code.length, 0) / 1e6;
  const times = Array.from({ length: TRIES }, () => {
    const started = performance.now();
    for (const { id, code } of sources) transform(code, { id, format: "module", runtime: "rt" });
    return (performance.now() - started) / megabytes;
  });
  const best = Math.min(...times);
  context.diagnostic(`${megabytes.toFixed(1)} MB in ${files.length} files: ${best.toFixed(0)} ms per MB`);
  assert.ok(best < LIMIT_MS, `${best.toFixed(0)} ms`);
});
