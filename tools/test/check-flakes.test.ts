// check-flakes.ts turns red on a test that fails once, that waits for real time, or whose garbage has something to say.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { runTool } from "./repository.ts";

function check(body: string, times: string, place = "packages/meanwhile/test/kernel"): ReturnType<typeof runTool> {
  const file = `
import { existsSync, writeFileSync } from "node:fs";
import { it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
it("x", async () => {\n${body}\n});\n`;
  return runTool("check-flakes.ts", { [`${place}/x.test.mjs`]: "", [`${place}/x.test.ts`]: file }, times);
}

describe("check-flakes", () => {
  it("tells how long each run took", () => {
    const { exitCode, output } = check("await wait(5);", "2");
    assert.match(
      output,
      /^run 1 of 2: 1 tests pass in [\d.]+ s\nrun 2 of 2: .*\n2 runs: 0 failures; [\d.]+ s at best/m,
    );
    assert.equal(exitCode, 0);
  });

  it("does not mind a long timer that never fires, or that nobody waits for", () => {
    assert.equal(check("clearTimeout(setTimeout(() => {}, 60_000));", "1").exitCode, 0);
    const unheld = "setTimeout(() => {}, 15).unref();\nwhile (performance.now() < 2_000) await wait(5);";
    assert.equal(check(unheld, "1").exitCode, 0);
  });

  it("lets the tests of other packages wait, and the slow ones be", () => {
    assert.equal(check("await wait(15);", "1", "packages/http/test").exitCode, 0);
    assert.match(check("await wait(15);", "1", "packages/meanwhile/test/slow/x").output, /0 tests|fails/);
  });

  const broken: Record<string, [body: string, times: string, complaint: RegExp]> = {
    "a test that fails the second time": [
      `if (existsSync("once")) throw new Error("again");\nwriteFileSync("once", "");`,
      "2",
      /^run 1 of 2: [^]*^2 runs: 1 failures[^]*^Run 2 of 2 fails [^]*again/m,
    ],
    "a test that sleeps": [`await wait(15);`, "1", /waited for 15 ms of real time in node:timers\/promises/],
    "a test that waits for a timer": [
      `await new Promise((resolve) => setTimeout(resolve, 15));`,
      "1",
      /waited for 15 ms of real time in setTimeout/,
    ],
    "a test that waits for an interval": [
      `await new Promise((resolve) => { const timer = setInterval(() => resolve(clearInterval(timer)), 12); });`,
      "1",
      /waited for 12 ms of real time in setInterval/,
    ],
    "a warning that comes when the garbage is collected": [
      `globalThis.seen = new FinalizationRegistry(() => process.emitWarning("forgotten"));\nseen.register({}, 0);`,
      "1",
      /Unexpected process warning: forgotten/,
    ],
    "a number of times that is none": ["", "often", /Cannot repeat the tests often times/],
  };
  for (const [what, [body, times, complaint]] of Object.entries(broken)) {
    it(`refuses ${what}`, () => {
      const { exitCode, output } = check(body, times);
      assert.match(output, complaint);
      assert.equal(exitCode, 1);
    });
  }
});
