import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Backoff, chain, exponential, type ExponentialOptions, fixed } from "meanwhile";

function delays(backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, (_, i) => backoff(i + 1, undefined));
}

const INVALID = { name: "UsageError", code: "MW_ERR_INVALID_ARGUMENT" };

describe("exponential", () => {
  it("grows by the factor up to the longest wait", () => {
    assert.deepEqual(delays(exponential({ baseMs: 10, factor: 3, maxMs: 100, jitter: "none" }), 4), [10, 30, 90, 100]);
  });

  it("starts at 100 ms, doubles, and ends at 30 seconds by default", () => {
    const backoff = exponential({ random: () => 0.999_999 });
    assert.deepEqual(
      [1, 2, 9, 10, 50].map((attempt) => Math.round(backoff(attempt, undefined))),
      [100, 200, 25_600, 30_000, 30_000],
    );
  });

  it("waits a random part of the computed time with full jitter, which is the default", () => {
    const random = [0, 0.25, 0.5];
    assert.deepEqual(delays(exponential({ baseMs: 100, random: () => random.shift() ?? NaN }), 3), [0, 50, 200]);
    for (const delay of delays(exponential({ baseMs: 10, maxMs: 20 }), 20)) assert.ok(delay >= 0 && delay < 20);
  });

  it("waits between half of the computed time and all of it with equal jitter", () => {
    const random = [0, 0.25, 0.999_999];
    const backoff = exponential({ baseMs: 100, jitter: "equal", random: () => random.shift() ?? NaN });
    assert.deepEqual(delays(backoff, 3).map(Math.round), [50, 125, 400]);
  });

  it("asks for no random number without jitter", () => {
    const random = (): never => assert.fail("asked");
    assert.deepEqual(delays(exponential({ baseMs: 10, jitter: "none", random }), 2), [10, 20]);
  });

  it("stays a number after any number of attempts", () => {
    assert.equal(exponential({ baseMs: 0, jitter: "none" })(5_000, undefined), 0);
    assert.equal(exponential({ baseMs: 1, jitter: "none" })(5_000, undefined), 30_000);
  });

  it("refuses negative times, a shrinking factor, and what is no option, and says what to pass", () => {
    const bad: ReadonlyArray<readonly [ExponentialOptions, RegExp]> = [
      [{ baseMs: -1 }, /'baseMs' is -1; pass milliseconds >= 0$/],
      [{ maxMs: NaN }, /'maxMs' is NaN; pass milliseconds >= 0$/],
      [{ factor: 0.5 }, /'factor' is 0\.5; pass a number >= 1$/],
      [{ factor: "2" as never }, /'factor' is "2"/],
      [{ jitter: "some" as never }, /'jitter' is "some"; pass one of "full", "equal" and "none"$/],
      [{ jitter: "toString" as never }, /'jitter' is "toString"/],
      [{ random: 0.5 as never }, /'random' is 0\.5; pass a function like Math\.random$/],
      [100 as never, /^Cannot use 100 as the options of exponential; pass an object, like \{ baseMs: 100 \}$/],
    ];
    for (const [options, message] of bad) assert.throws(() => exponential(options), { ...INVALID, message });
  });
});

describe("fixed", () => {
  it("waits the same time each time", () => {
    assert.deepEqual(delays(fixed(5), 3), [5, 5, 5]);
  });

  it("refuses a negative time", () => {
    assert.throws(() => fixed(-1), INVALID);
    assert.throws(() => fixed(undefined as never), INVALID);
  });
});

describe("chain", () => {
  it("waits the given times in turn, then the last one again", () => {
    assert.deepEqual(delays(chain(1, 0, 5), 5), [1, 0, 5, 5, 5]);
  });

  it("refuses no times, and negative ones", () => {
    assert.throws(() => chain(), { name: "UsageError", code: "MW_ERR_EMPTY" });
    assert.throws(() => chain(1, -1), INVALID);
  });
});
