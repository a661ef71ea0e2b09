import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { gatherSettled } from "meanwhile";
import { runSync } from "meanwhile/workers";

import { depthOf, nestedObjects } from "./modules/jobs.ts";
import { nestedLists } from "./modules/sync-functions.ts";
import { processes } from "./pools.ts";

const code = "MW_ERR_WORKER_NOT_CLONEABLE";
const FUNCTIONS = new URL("./modules/sync-functions.ts", import.meta.url);

describe("a value that is nested deep", () => {
  it("comes to and from a process, or fails its call alone, where it can be written but not read too", async () => {
    await using pool = processes({ concurrency: 2 });
    const ends = new Set<string>();
    for (let depth = 1_000; depth <= 6_000; depth += 250) {
      const [to, from, beside] = await gatherSettled([
        () => pool.call("depthOf", nestedObjects(depth)),
        () => pool.call("nestedObjects", depth),
        () => pool.call("add", 1, depth),
      ]);
      assert.deepEqual(beside, { status: "fulfilled", value: depth + 1 });
      if (to.status === "fulfilled") assert.equal(to.value, depth);
      if (from.status === "fulfilled") assert.equal(depthOf(from.value), depth);
      for (const end of [to, from]) ends.add(end.status === "fulfilled" ? "here" : String(end.reason.code));
    }
    assert.deepEqual([...ends].toSorted(), [code, "here"]);
    assert.equal(pool.statistics().crashes, 0);
  });
});

describe("a call of runSync", () => {
  it("fails if a value is nested too deep for one of the two stacks", () => {
    assert.throws(() => runSync(FUNCTIONS, "nestedLists", 8_000), {
      code,
      message: /value is nested too deep to be read/,
    });
    assert.throws(() => runSync(FUNCTIONS, "nestedLists", 1_000_000), { code, message: /value is nested too deep/ });
    assert.throws(() => runSync(FUNCTIONS, "same", 1, nestedLists(100_000)), {
      code,
      message: /arguments are nested too/,
    });
    assert.deepEqual(runSync(FUNCTIONS, "nestedLists", 2), [[[]]]);
    assert.throws(() => runSync(FUNCTIONS, "failsWithCauses", 1_000), { code: "E_DEEP" });
  });
});
