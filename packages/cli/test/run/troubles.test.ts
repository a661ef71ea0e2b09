// What meanwhile run --report adds of what diagnostics have seen.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { block, place, warning } from "../../../meanwhile/test/diagnostics/reading/told.ts";
import { renderTroubles } from "../../src/run/troubles.ts";

describe("The troubles of a program", () => {
  it("are its blocks, the longest first, and its warnings with what to do", () => {
    const blocks = [block({ durationMs: 80 }), block({ id: 2, durationMs: 1_234, task: null, repeated: 3, stack: [] })];
    assert.equal(
      renderTroubles([warning({ count: 2 })], blocks),
      `What blocked its event loop (2 times)
   1.23 s  and 3 times more
  80.0 ms  crunch (/srv/app.ts:12:5)  task 2 "cruncher"

What it was warned of
  Task 2 "writer" waits for 61 s and has no deadline (2 times); give it a timeout

`,
    );
  });

  it("say neither a name nor a function that is not there", () => {
    const task = { id: 3, name: "task 3" };
    const text = renderTroubles([], [block({ durationMs: 1_770, task, stack: [place("", 10)] })]);
    assert.match(text, /^   1\.77 s  \/srv\/app\.ts:10:5  task 3$/m);
  });

  it("are at most a dozen of each kind, safe to show", () => {
    const evil = Array.from({ length: 20 }, (_, id) => block({ id, stack: [place("\u001b[31m")] }));
    const text = renderTroubles([], evil);
    assert.match(text, /… and 8 more/);
    assert.doesNotMatch(text.replaceAll("\n", ""), /\p{Cc}/u);
  });

  it("are nothing if there were none, and do not repeat what the report has", () => {
    assert.equal(
      renderTroubles([warning({ kind: "never-awaited" }), warning({ id: 2, kind: "loop-blocked" })], []),
      "",
    );
  });
});
