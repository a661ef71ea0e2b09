// Is it a rate limiter?

import { now, sleep } from "../../time/sleep.ts";
import { assertNoCheckpoints } from "../assert-checkpoints.ts";
import { Random } from "../random.ts";
import { expectCheckpoint, expectRefused, expectSameStatistics } from "./common.ts";
import { checkRules, type ConformanceOptions, type ConformanceReport, type Rule, rulesOn } from "./rules.ts";
import { type Caller, expect, expectFates, type Stage } from "./stage.ts";

/** Lets something happen so often in any interval of time, on the clock of the run. */
export interface RateLimiterLike {
  /**
   * Waits until it may happen once more, and counts that.
   *
   * Cancellation: safe. A call that throws is not counted.
   */
  acquire(): PromiseLike<unknown>;
  /** Whether it may happen now; counts that if so. */
  tryAcquire?(): boolean;
  /** What is to be seen from outside; the same whenever nobody waits and an interval has passed, but for numbers that only grow. */
  statistics?(): object;
}

/** What a rate limiter is told. */
export interface RateLimits {
  /** How often something may happen in an interval. */
  readonly limit: number;
  /** The length of the interval in milliseconds. */
  readonly intervalMs: number;
}

/** The limits that are played with. */
const LIMIT = 2;
const INTERVAL_MS = 100;

/**
 * Checks that something is a rate limiter: in no interval, wherever it begins, more happens than may; and nobody waits longer
 * than that takes. Callers are served in order; one that is cancelled is not counted; every `acquire` is a checkpoint. Each
 * rule is tried under many schedules, on virtual time. A token bucket, or a window that is fixed, breaks the first rule.
 *
 * Cancellation: reaches the rule that is being tried.
 *
 * @param create - makes a new limiter
 * @throws {@link TestError} `MW_ERR_RULE_BROKEN` with the properties `rule` and `seed`; `cause` is what was seen
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad option
 *
 * @example
 * ```ts
 * import { RateLimiter } from "meanwhile";
 * import { checkRateLimiter } from "meanwhile/testing";
 *
 * await checkRateLimiter(({ limit, intervalMs }) => new RateLimiter({ limit, intervalMs }));
 * ```
 */
export async function checkRateLimiter(
  create: (limits: RateLimits) => RateLimiterLike,
  options: ConformanceOptions = {},
): Promise<ConformanceReport> {
  return await checkRules({ name: "checkRateLimiter", what: "rate limiter", create, rulesOf }, options);
}

function rulesOf(create: (limits: RateLimits) => RateLimiterLike): Rule[] {
  const limits = { limit: LIMIT, intervalMs: INTERVAL_MS };
  const played = rulesOn((stage) => new Meter(create(limits), stage));
  const rules = [
    {
      name: "lets no more happen in any interval than may",
      check: (stage: Stage, seed: number) => letsNoMore(new Meter(create(limits), stage), new Random(seed)),
    },
    played("lets happen what may, in the order they asked", letsHappen),
    played("every acquire is a checkpoint", isCheckpoint),
    played("lets no newcomer overtake a waiter", letsNobodyOvertake),
    played("a cancelled caller is not counted", cancelledIsNotCounted),
  ];
  const sample = create(limits);
  if (sample.tryAcquire !== undefined) rules.push(played("tryAcquire never waits", triesWithoutWaiting));
  if (sample.statistics !== undefined) rules.push(played("statistics return to what they were", statisticsReturn));
  return rules;
}

/** One limiter on a stage. */
class Meter {
  readonly limiter: RateLimiterLike;
  readonly stage: Stage;

  constructor(limiter: RateLimiterLike, stage: Stage) {
    this.limiter = limiter;
    this.stage = stage;
  }

  /** Somebody asks, and notes when it happens. */
  ask(): Promise<Caller<number>> {
    return this.stage.call(async () => {
      await this.limiter.acquire();
      return now();
    });
  }

  askEach(count: number): Promise<Caller<number>[]> {
    return this.stage.callEach(count, async () => {
      await this.limiter.acquire();
      return now();
    });
  }
}

function expectTimes(when: string, callers: ReadonlyArray<Caller<number>>, ...wanted: number[]): void {
  const are = callers.map(({ value }) => value).join(", ");
  expect(
    are === wanted.join(", "),
    `${when}, it has to happen at [${wanted.join(", ")}] ms, and happens at [${are}] ms`,
  );
}

async function letsNoMore(meter: Meter, random: Random): Promise<void> {
  const callers: Caller<number>[] = [];
  for (let i = 0; i < 4 * LIMIT; i++) {
    await sleep(random.below(INTERVAL_MS));
    callers.push(await meter.ask());
  }
  await sleep(10 * INTERVAL_MS);
  const times = callers.map(({ value }) => value).toSorted((a, b) => a - b);
  const tooSoon = times.findIndex((at, i) => at - (times[i - LIMIT] ?? -Infinity) < INTERVAL_MS);
  expect(
    tooSoon === -1,
    `at ${times[tooSoon]} ms more than ${LIMIT} have happened in ${INTERVAL_MS} ms, of ${times.join(", ")}`,
  );
}

async function letsHappen(meter: Meter): Promise<void> {
  const callers = await meter.askEach(5);
  expectFates("When five ask for two", callers, "got", "got", "waits", "waits", "waits");
  await sleep(10 * INTERVAL_MS);
  expectTimes("When five ask for two", callers, 0, 0, INTERVAL_MS, INTERVAL_MS, 2 * INTERVAL_MS);
}

async function isCheckpoint(meter: Meter): Promise<void> {
  const { limiter } = meter;
  await expectCheckpoint(() => limiter.acquire(), "While it may happen");
  expectFates("When a call was refused, the others that may", await meter.askEach(LIMIT - 1), "got");
  await expectRefused(() => limiter.acquire(), "While it may not happen");
  const [next] = await meter.askEach(1);
  await sleep(10 * INTERVAL_MS);
  expect(next?.value === INTERVAL_MS, `after a call that was refused it happens at ${next?.value} ms`);
}

async function letsNobodyOvertake(meter: Meter): Promise<void> {
  const waiting = (await meter.askEach(LIMIT + LIMIT + 1)).slice(LIMIT);
  await sleep(INTERVAL_MS);
  const tried = meter.limiter.tryAcquire?.() ?? false;
  const newcomer = await meter.ask();
  await sleep(10 * INTERVAL_MS);
  expect(!tried, "tryAcquire takes what others wait for");
  expectTimes(
    "When three wait and one comes later",
    [...waiting, newcomer],
    ...[1, 1, 2, 2].map((n) => n * INTERVAL_MS),
  );
}

async function cancelledIsNotCounted(meter: Meter): Promise<void> {
  await meter.askEach(LIMIT);
  const [first, second, third] = [await meter.ask(), await meter.ask(), await meter.ask()];
  await sleep(INTERVAL_MS / 2);
  first.cancel();
  await sleep(10 * INTERVAL_MS);
  expectFates(
    "When the first of those who wait was cancelled, they",
    [first, second, third],
    "cancelled",
    "got",
    "got",
  );
  expectTimes("When the first of those who wait was cancelled", [second, third], INTERVAL_MS, INTERVAL_MS);
}

async function triesWithoutWaiting({ limiter }: Meter): Promise<void> {
  const results: unknown[] = [];
  for (let i = 0; i <= LIMIT; i++) results.push(await assertNoCheckpoints(() => limiter.tryAcquire?.()));
  expect(String(results) === "true,true,false", `of three calls where two may, they return ${String(results)}`);
}

async function statisticsReturn(meter: Meter): Promise<void> {
  await expectSameStatistics(meter.limiter, meter.stage, async () => {
    await meter.askEach(LIMIT);
    const [, cancelled] = [await meter.ask(), await meter.ask()];
    cancelled.cancel();
    await sleep(10 * INTERVAL_MS);
  });
}
