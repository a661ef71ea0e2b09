// What the tour shows, and how.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import { belowBar, drawBar, fold, WIDTH, wrap } from "../../src/tour/draw.ts";
import { codeOf } from "../../src/tour/source.ts";

const CHAPTERS: Readonly<Record<string, readonly string[]>> = {
  "three-waits": ["fetchData", "oneAfterAnother", "together"],
  "fetch-all": ["fetchText", "sequential", "fetchAll", "bounded"],
  cancel: ["download", "givenUp", "cancelled"],
  "every-await": ["download", "downloadBoth"],
  retry: ["getFlaky", "patiently"],
  http: ["logIn", "buy", "buyBoth", "fetchFile", "readForAWhile"],
  postgres: ["listUsers", "waitForReport", "pay"],
  websocket: ["startChat", "listen", "pour", "follow"],
  workers: ["fibonacci", "onTheLoop", "inAPool"],
  cluster: ["develop", "developAll"],
  "forgotten-await": ["saveUser", "forgetful"],
  "blocked-loop": ["parseAll", "parseInTurns"],
  deadlock: ["transferBothWays"],
};

describe("the tour", () => {
  for (const [chapter, names] of Object.entries(CHAPTERS)) {
    it(`shows the code of ${chapter} as it stands in its file, in 80 columns`, () => {
      const url = new URL(`../../src/tour/chapters/${chapter}.ts`, import.meta.url).href;
      const code = codeOf(url, names);
      const source = readFileSync(fileURLToPath(url), "utf8");
      for (const line of code.split("\n")) {
        assert.ok(source.includes(line), line);
        assert.ok(line.length + "    ".length <= WIDTH, line);
      }
      for (const name of names) assert.match(code, new RegExp(`(function|const) ${name}\\b`));
    });
  }

  it("draws bars to scale, and no line is wider than 80 columns", () => {
    const bar = drawBar({ name: "a", from: 50, to: 100 }, 100);
    assert.equal(bar.length, WIDTH);
    const [, blanks = "", full = ""] = /^ {2}a {19} ( *)(█+) +50\.0 ms$/.exec(bar) ?? [];
    assert.equal(blanks.length, full.length);
    assert.equal(drawBar({ name: "x".repeat(50), from: 0, to: 1e8 }, 1).length, WIDTH);
    assert.match(drawBar({ name: "a", from: 100, to: 100 }, 100), /█/);
    assert.equal(belowBar("x").indexOf("x"), drawBar({ name: "a", from: 0, to: 1 }, 1).indexOf("█"));
  });

  it("breaks words and lines at 80 columns", () => {
    const text = "word ".repeat(100).trim();
    for (const line of wrap(text).split("\n")) assert.ok(line.length <= WIDTH && line.startsWith("  word"));
    assert.equal(fold("a\n  b", "> "), "> a\n>   b");
  });
});
