// Is it an event?

import type { SequentialSpec } from "../sequential.ts";
import { expectCheckpoint, expectRefused, expectSameStatistics, MEETINGS } from "./common.ts";
import {
  checkRules,
  type ConformanceOptions,
  type ConformanceReport,
  type Rule,
  rulesOn,
  sequentialRule,
} from "./rules.ts";
import { type Caller, expectFates, type Stage } from "./stage.ts";

/** A flag that callers can wait for; unset at first. */
export interface EventLike {
  /** Sets the flag. */
  set(): void;
  /** Unsets the flag. */
  clear?(): void;
  /**
   * Waits until the flag is set.
   *
   * Cancellation: safe. Waiting changes nothing.
   */
  wait(): PromiseLike<unknown>;
  /** What is to be seen from outside; the same whenever nobody waits, but for numbers that only grow. */
  statistics?(): object;
}

/**
 * Checks that something is an event: `set` wakes everybody who waits, also if `clear` follows in the same turn, and whoever
 * comes while the flag is set need not wait; a caller that is cancelled leaves; every `wait` is a checkpoint. `clear` may be
 * missing. Each rule is tried under many schedules.
 *
 * Cancellation: reaches the rule that is being tried.
 *
 * @param create - makes a new event
 * @throws {@link TestError} `MW_ERR_RULE_BROKEN` with the properties `rule` and `seed`; `cause` is what was seen
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad option
 *
 * @example
 * ```ts
 * import { Event } from "meanwhile";
 * import { checkEvent } from "meanwhile/testing";
 *
 * await checkEvent(() => new Event());
 * ```
 */
export async function checkEvent(
  create: () => EventLike,
  options: ConformanceOptions = {},
): Promise<ConformanceReport> {
  return await checkRules({ name: "checkEvent", what: "event", create, rulesOf }, options);
}

function rulesOf(create: () => EventLike): Rule[] {
  const played = rulesOn((stage) => new Flag(create, stage));
  const rules = [
    played("waits until it is set", waitsUntilSet),
    played("wakes everybody who waits", wakesEverybody),
    played("every wait is a checkpoint", isCheckpoint),
    played("a cancelled waiter leaves, and the others are woken", cancelledLeaves),
    played("a wake-up that meets a cancellation reaches the others", reachesTheOthers),
  ];
  const sample = create();
  if (sample.clear !== undefined) {
    rules.push(
      played("waits again after it was unset", waitsAgain),
      played("wakes those who wait although it is unset in the same turn", wakesBeforeUnset),
    );
  }
  if (sample.statistics !== undefined) rules.push(played("statistics return to what they were", statisticsReturn));
  rules.push(sequentialRule(() => specOf(create)));
  return rules;
}

/** One event on a stage. */
class Flag {
  readonly #create: () => EventLike;
  readonly stage: Stage;
  event: EventLike;

  constructor(create: () => EventLike, stage: Stage) {
    this.#create = create;
    this.stage = stage;
    this.event = create();
  }

  renew(): void {
    this.event = this.#create();
  }

  wait(): Promise<Caller<unknown>> {
    return this.stage.call(() => this.event.wait());
  }

  async set(): Promise<void> {
    this.event.set();
    await this.stage.settle();
  }
}

async function waitsUntilSet(flag: Flag): Promise<void> {
  const waiter = await flag.wait();
  expectFates("While the flag is not set", [waiter], "waits");
  await flag.set();
  expectFates("When the flag was set", [waiter], "got");
  await flag.set();
  expectFates("While the flag is set", [await flag.wait()], "got");
}

async function wakesEverybody(flag: Flag): Promise<void> {
  const waiters = [await flag.wait(), await flag.wait(), await flag.wait()];
  await flag.set();
  expectFates("When the flag was set", waiters, "got", "got", "got");
}

async function isCheckpoint(flag: Flag): Promise<void> {
  await expectRefused(() => flag.event.wait(), "While the flag is not set");
  await flag.set();
  await expectCheckpoint(() => flag.event.wait(), "While the flag is set");
}

async function cancelledLeaves(flag: Flag): Promise<void> {
  const [first, second, third] = [await flag.wait(), await flag.wait(), await flag.wait()];
  second.cancel();
  await flag.stage.settle();
  expectFates("When the second waiter was cancelled", [first, second, third], "waits", "cancelled", "waits");
  await flag.set();
  expectFates("When the flag was set after that, the others", [first, third], "got", "got");
}

async function reachesTheOthers(flag: Flag): Promise<void> {
  for (const { name, meet } of MEETINGS) {
    flag.renew();
    const [first, second, third] = [await flag.wait(), await flag.wait(), await flag.wait()];
    await meet(
      () => flag.event.set(),
      () => first.cancel(),
    );
    await flag.stage.settle();
    expectFates(`After ${name}, the others`, [second, third], "got", "got");
  }
}

async function waitsAgain(flag: Flag): Promise<void> {
  await flag.set();
  flag.event.clear?.();
  const waiter = await flag.wait();
  expectFates("When the flag was unset", [waiter], "waits");
  await flag.set();
  expectFates("When the flag was set again", [waiter], "got");
}

async function wakesBeforeUnset(flag: Flag): Promise<void> {
  const [first, second] = [await flag.wait(), await flag.wait()];
  flag.event.set();
  flag.event.clear?.();
  const newcomer = flag.stage.callNow(() => flag.event.wait());
  await flag.stage.settle();
  const callers = [first, second, newcomer];
  expectFates(
    "When the flag was set and unset in one turn, those who waited and a newcomer",
    callers,
    "got",
    "got",
    "waits",
  );
}

async function statisticsReturn(flag: Flag): Promise<void> {
  await expectSameStatistics(flag.event, flag.stage, async () => {
    const [, cancelled] = [await flag.wait(), await flag.wait()];
    cancelled.cancel();
    await flag.set();
    flag.event.clear?.();
  });
}

type Call = "set" | "clear" | "wait";

/** The model: whether the flag is set. */
function specOf(create: () => EventLike): SequentialSpec<EventLike, boolean, Call> {
  const clears = create().clear !== undefined;
  return {
    create,
    calls: clears ? ["set", "clear", "wait", "wait"] : ["set", "wait", "wait"],
    perform: async (event, call) => {
      if (call === "set") event.set();
      else if (call === "clear") event.clear?.();
      else await event.wait();
    },
    initial: false,
    step: (isSet, call) => {
      if (call === "wait") return isSet ? { state: isSet, result: undefined } : null;
      return { state: call === "set", result: undefined };
    },
  };
}
