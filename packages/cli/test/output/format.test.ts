// Numbers and texts as people read them.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { escapeControls, toSafeJson } from "../../src/output/escape.ts";
import { formatBytes, formatClock, formatCount, formatMs, plural } from "../../src/output/format.ts";

describe("format", () => {
  it("groups digits", () => {
    assert.deepEqual([0, 999, 1_000, 1_234_567].map(formatCount), ["0", "999", "1 000", "1 234 567"]);
  });

  it("shows sizes with three digits", () => {
    const sizes = [0, 999, 1_000, 12_345, 999_600, 3e9, 5e15];
    assert.deepEqual(sizes.map(formatBytes), ["0 B", "999 B", "1.00 kB", "12.3 kB", "1.00 MB", "3.00 GB", "5000 TB"]);
  });

  it("shows times in the unit that fits", () => {
    const times = [0.5, 12.34, 999, 1_234, 59_900, 75_000, 3_675_000];
    assert.deepEqual(times.map(formatMs), ["0.50 ms", "12.3 ms", "999 ms", "1.23 s", "59.9 s", "1:15", "1:01:15"]);
    assert.equal(formatClock(9_499), "0:09");
  });

  it("puts nouns into the plural", () => {
    assert.deepEqual([plural(1, "URL"), plural(2_000, "URL")], ["1 URL", "2 000 URLs"]);
  });
});

describe("escape", () => {
  it("shows control characters instead of sending them to the terminal", () => {
    // Clear the screen, set the title, write to the clipboard, C1 CSI, turn the text around, hide in it.
    const evil = "\u001b[2J \u001b]0;t\u0007 \u001b]52;c;eA==\u0007 \u009b2J \u202etxt \u2066a \u200bb \u007f \u2028";
    assert.doesNotMatch(escapeControls(evil), /[\p{Cc}\p{Cf}\u2028]/u);
    assert.equal(escapeControls("\u001b[0m"), "\\u001b[0m");
  });

  it("leaves other text alone", () => {
    assert.equal(escapeControls("Grüße, 世界 🎉"), "Grüße, 世界 🎉");
  });

  it("writes JSON that is safe to print and means the same", () => {
    const value = { text: "\u009b2J \u202e \u0000 \u001b \u2028 ü 🎉" };
    const json = toSafeJson(value);
    assert.doesNotMatch(json, /[\p{Cc}\p{Cf}\u2028]/u);
    assert.deepEqual(JSON.parse(json), value);
  });
});
