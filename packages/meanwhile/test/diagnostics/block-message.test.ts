import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { blockMessage } from "../../src/diagnostics/worker/block-message.ts";

const PLACE = { function: "load", file: "app.ts", line: 12, column: 5 } as const;
const BLOCK = { startedAtMs: 0, durationMs: 99.6, ongoing: false, task: null, stack: [PLACE], repeated: 0 } as const;
const SEEN = { inside: null, unseen: 0 } as const;

describe("The message of a block", () => {
  it("says how long, by whom, where, and what to do", () => {
    assert.equal(
      blockMessage({ ...BLOCK, task: { id: 3, name: "reader" } }, SEEN),
      `The event loop was blocked for 100 ms by task 3 "reader" at load (app.ts:12:5); ${LOOP}`,
    );
    assert.equal(
      blockMessage({ ...BLOCK, stack: [{ ...PLACE, function: "" }] }, SEEN),
      `The event loop was blocked for 100 ms at app.ts:12:5; ${LOOP}`,
    );
  });

  it("says so while the block goes on, and if it is in native code", () => {
    assert.match(
      blockMessage({ ...BLOCK, ongoing: true }, SEEN),
      /^The event loop has been blocked for 100 ms at load/,
    );
    const native = "give native code less to do at once, or move the work to a thread of its own";
    assert.equal(
      blockMessage({ ...BLOCK, ongoing: true, stack: [] }, SEEN),
      `The event loop has been blocked for 100 ms, in native code that has not returned yet; ${native}`,
    );
    assert.equal(blockMessage({ ...BLOCK, stack: [] }, SEEN), `The event loop was blocked for 100 ms; ${native}`);
  });

  it("counts the blocks of which it does not tell one by one", () => {
    const ends = (repeated: number, unseen: number): string =>
      blockMessage({ ...BLOCK, repeated }, { inside: null, unseen }).slice(0, -LOOP.length - 2);
    assert.match(ends(0, 0), /app\.ts:12:5\)$/);
    assert.match(ends(2, 0), / \(2 more there since the last report\)$/);
    assert.match(ends(0, 3), / \(3 more blocks at which nobody looked\)$/);
    assert.match(ends(2, 3), / \(2 more there since the last report, and 3 more blocks at which nobody looked\)$/);
  });

  for (const [inside, remedy] of Object.entries({
    "Atomics.wait": /; use Atomics\.waitAsync\(\), or wait in a thread of its own$/,
    readFileSync: /; use the form of readFileSync\(\) that does not block$/,
    require: /; load it when the program starts$/,
    "JSON.parse": /; give JSON\.parse\(\) less to do at once, give the others a turn/,
    structuredClone: /; give structuredClone\(\) less to do at once, give the others a turn/,
    sort: /; give the others a turn/,
  })) {
    it(`has a remedy for ${inside}()`, () => {
      assert.match(blockMessage(BLOCK, { inside, unseen: 0 }), remedy);
    });
  }
});

const LOOP =
  "give the others a turn with `await checkpoint()` if it is a loop, or move the work to a thread of its own";
