// The timeline of a run as a file of its own.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { readRecording, RunHistory, timelineHtml, timelineSvg } from "../src/index.ts";
import { EventMaker, linesOf } from "./support/messages.ts";
import { shopRun } from "./support/shop.ts";

function shopHistory(): RunHistory {
  const history = new RunHistory();
  for (const message of shopRun()) history.apply(message);
  return history;
}

/** Two tasks of 100 ms, one after the other or at once. */
function twoSleeps(secondAt: number): RunHistory {
  const make = new EventMaker();
  for (const [id, at] of [
    [1, 0],
    [2, secondAt],
  ] as const) {
    make.created(at, id, `get ${id}`);
    make.wait(at + 1, id, "fetch");
    make.resume(at + 99, id);
    make.ended(at + 100, id);
  }
  const history = new RunHistory();
  history.apply({ type: "events", events: make.events });
  return history;
}

describe("readRecording", () => {
  it("reads a file into a history, and leaves out a last line that was cut off", async () => {
    const folder = await mkdtemp(join(tmpdir(), "inspector-"));
    try {
      const path = join(folder, "run.jsonl");
      await writeFile(path, `${linesOf(shopRun())}{"type":"ev`);
      const { hello, history } = await readRecording(path);
      assert.equal(hello?.program.pid, 4_242);
      assert.deepEqual([...history.lanes.keys()].length, 16);
      assert.equal(history.events, shopHistory().events);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("refuses a file that is no recording", async () => {
    await assert.rejects(readRecording("/nowhere.jsonl"), { code: "MW_ERR_INSPECTOR_NOT_A_RECORDING" });
  });
});

describe("timelineSvg", () => {
  it("draws every task, block and mark, and needs nothing from elsewhere", () => {
    const svg = timelineSvg([{ title: "shop", history: shopHistory() }]);
    for (const text of [
      "checkout 12",
      "writer",
      "blocks the event loop",
      'class="cancelled"',
      'class="failed"',
      'class="band"',
    ]) {
      assert.ok(svg.includes(text), text);
    }
    assert.doesNotMatch(svg.replaceAll("http://www.w3.org/2000/svg", ""), /https?:|<script|href|url\(|@import/u);
    assert.match(svg, /prefers-color-scheme:dark/u);
    assert.doesNotMatch(svg, /NaN|Infinity|undefined/u);
  });

  it("puts runs below each other on one scale, so that they can be compared", () => {
    const runs = [
      { title: "one after the other", history: twoSleeps(100) },
      { title: "at once", history: twoSleeps(0) },
    ];
    const svg = timelineSvg(runs, { theme: "light" });
    const widths = [...svg.matchAll(/class="waiting" d="M[\d.]+ \d+h([\d.]+)/gu)].map(([, width]) =>
      Math.round(Number(width)),
    );
    assert.equal(widths.length, 4);
    assert.equal(new Set(widths).size, 1);
    assert.ok(svg.includes("2 tasks · 200 ms") && svg.includes("2 tasks · 100 ms"));
    assert.doesNotMatch(svg, /prefers-color-scheme/u);
  });

  it("says how many tasks it has left out", () => {
    const svg = timelineSvg([{ title: "shop", history: shopHistory() }], { maxRows: 3 });
    assert.ok(svg.includes("and 13 more tasks"));
  });

  it("draws a run in which nothing has happened", () => {
    assert.doesNotMatch(timelineSvg([{ title: "nothing", history: new RunHistory() }]), /NaN|Infinity/u);
  });
});

describe("timelineHtml", () => {
  it("is one page without a script, with the picture and the same in words", () => {
    const html = timelineHtml([{ title: "shop", history: shopHistory() }]);
    assert.match(html, /^<!doctype html>/u);
    assert.match(html, /default-src 'none'/u);
    assert.doesNotMatch(html, /<script/u);
    assert.match(html, /<th scope="row" class="d2">checkout 5<\/th>.*?<td>cancelled<\/td>/u);
    // Wide things scroll by themselves, and not the page.
    assert.equal(html.match(/<div class="wide">/gu)?.length, 2);
    assert.match(html, /parse \/srv\/shop\/catalog\.ts:41:9/u);
  });
});
