// The progress of a run, as text.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  percentOf,
  pulseBetween,
  renderBar,
  renderHosts,
  renderJson,
  renderPlain,
} from "../../src/fetch/progress-line.ts";
import { Histogram, type Snapshot, Statistics } from "../../src/fetch/statistics.ts";
import { renderSummary } from "../../src/fetch/summary.ts";

const HALFWAY: Snapshot = {
  elapsedMs: 12_000,
  read: 10_000,
  isTotal: true,
  ok: 4_990,
  failed: 10,
  skipped: 0,
  resumed: 0,
  running: 50,
  retries: 3,
  bytes: 8_000_000,
};
const PULSE = { perSecond: 420, bytesPerSecond: 670_000 };

describe("progress", () => {
  it("draws a bar with counts, speed, time and what is left", () => {
    assert.equal(
      renderBar(HALFWAY, PULSE, 120),
      "━━━━━━━━━━━━━━━───────────────  50 %  5 000 of 10 000  10 failed  50 running  420/s  670 kB/s  0:12 + 0:12",
    );
  });

  it("says less on a narrow terminal, but keeps the bar", () => {
    assert.equal(
      renderBar(HALFWAY, PULSE, 79),
      "━━━━━━━──────  50 %  5 000 of 10 000  10 failed  50 running  420/s  0:12 + 0:12",
    );
    assert.equal(renderBar(HALFWAY, PULSE, 40), "━━━━━━━━━────────  50 %  5 000 of 10 000");
  });

  it("is never wider than the terminal", () => {
    for (let width = 0; width <= 200; width++) {
      assert.ok(renderBar(HALFWAY, PULSE, width).length <= width);
      assert.ok(renderBar({ ...HALFWAY, isTotal: false }, PULSE, width).length <= width);
    }
  });

  it("names no share as long as the list is not read to its end", () => {
    const line = renderBar({ ...HALFWAY, isTotal: false }, PULSE, 120);
    assert.equal(line, "5 000 done  10 failed  50 running  420/s  670 kB/s  0:12  reading the list");
  });

  it("never says more than 100 %, and 100 % only at the end", () => {
    assert.equal(percentOf({ ...HALFWAY, ok: 9_989 }), 99);
    assert.equal(percentOf({ ...HALFWAY, ok: 9_990 }), 100);
    assert.equal(percentOf({ ...HALFWAY, ok: 99_999 }), 100);
    assert.equal(percentOf({ ...HALFWAY, read: 0, ok: 0, failed: 0 }), 100);
  });

  it("writes a plain line for a log", () => {
    assert.equal(renderPlain(HALFWAY, PULSE), "0:12  5 000 of 10 000 (50 %)  10 failed  50 running  420/s  670 kB/s");
  });

  it("writes an object of JSON for a program", () => {
    assert.deepEqual(JSON.parse(renderJson(HALFWAY, PULSE)), {
      elapsedMs: 12_000,
      read: 10_000,
      isTotal: true,
      percent: 50,
      ok: 4_990,
      failed: 10,
      skipped: 0,
      running: 50,
      retries: 3,
      bytes: 8_000_000,
      perSecond: 420,
      bytesPerSecond: 670_000,
    });
  });

  it("has a line for each of the slowest hosts, whatever their names", () => {
    const hosts = [
      { host: "slow.example", done: 1_200, failed: 3, meanMs: 1_500 },
      { host: `\u001b]0;${"x".repeat(100)}`, done: 1, failed: 0, meanMs: 20 },
    ];
    const [first, second] = renderHosts(hosts, 79);
    assert.match(first ?? "", /^ {2}slow\.example +1\.50 s {2}1 200 done {2}3 failed$/);
    assert.doesNotMatch(second ?? "", /\p{Cc}/u);
    for (const width of [0, 10, 40]) for (const line of renderHosts(hosts, width)) assert.ok(line.length <= width);
  });

  it("counts what was skipped as done", () => {
    assert.equal(percentOf({ ...HALFWAY, skipped: 2_500 }), 75);
  });

  it("measures speed between two moments", () => {
    const later = { ...HALFWAY, elapsedMs: 14_000, ok: 5_990, bytes: 10_000_000 };
    assert.deepEqual(pulseBetween(HALFWAY, later), { perSecond: 500, bytesPerSecond: 1_000_000 });
  });
});

describe("Histogram", () => {
  it("tells percentiles within 3 %", () => {
    const histogram = new Histogram();
    for (let ms = 1; ms <= 1_000; ms++) histogram.add(ms);
    for (const [share, exact] of [
      [0.5, 500],
      [0.95, 950],
      [0.99, 990],
      [1, 1_000],
    ] as const) {
      const told = histogram.percentile(share) ?? 0;
      assert.ok(Math.abs(told - exact) / exact < 0.03, `p${share * 100}: ${told} for ${exact}`);
    }
  });

  it("takes what is beyond its ends", () => {
    const histogram = new Histogram();
    histogram.add(0);
    histogram.add(1e12);
    assert.ok((histogram.percentile(1) ?? 0) > 1e6);
    assert.equal(new Histogram().percentile(0.5), undefined);
  });
});

describe("summary", () => {
  it("says how many, how fast, why not, and what was left", () => {
    const statistics = new Statistics();
    const record = { index: 1, url: "http://a/", bytes: 500, ms: 10, attempts: 1, host: "a" };
    for (let i = 0; i < 3; i++) statistics.count({ ...record, ok: true, status: 200 });
    statistics.count({ ...record, ok: false, status: 404, error: { code: "http_4xx", message: "" } });
    statistics.count({ ...record, host: "b", ms: 20, ok: false, error: { code: "reset", message: "" } });
    statistics.read = 7;
    statistics.retries = 1;
    const lines = renderSummary(statistics, { stoppedBy: "SIGINT" }).split("\n");
    assert.match(lines[0] ?? "", /^3 ok {2}2 failed {2}2.50 kB {2}in .* URLs\/s {2}.* {2}1 retry$/);
    assert.match(lines[1] ?? "", /^answers: p50 (9|10)\.\d+ ms {2}p95 .* {2}p99 .*$/);
    assert.equal(lines[2], "errors:  http_4xx 1  reset 1");
    assert.equal(lines[3], "slowest: b 20.0 ms  a 10.0 ms");
    assert.equal(lines[4], "stopped by SIGINT: 2 URLs not started, the list not read to its end");
  });
});
