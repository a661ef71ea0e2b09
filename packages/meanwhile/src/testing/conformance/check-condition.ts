// Is it a condition?

import { sleep } from "../../time/sleep.ts";
import { shield } from "../../time/timeouts.ts";
import { expectRefused, expectSameStatistics, MEETINGS } from "./common.ts";
import { checkRules, type ConformanceOptions, type ConformanceReport, type Rule, rulesOn } from "./rules.ts";
import { type Caller, expect, expectFates, type Stage } from "./stage.ts";

/** A lock, and callers that wait to be notified by somebody who holds it. */
export interface ConditionLike {
  /**
   * Waits for the lock. Disposing of the result gives it back.
   *
   * Cancellation: safe. A call that throws does not hold the lock.
   */
  acquire(): PromiseLike<Disposable>;
  /**
   * Gives the lock back, waits to be notified, and takes the lock again.
   *
   * Cancellation: safe. The lock is held when the call ends, also when it throws.
   */
  wait(): PromiseLike<unknown>;
  /** Wakes those who have waited longest; one, or as many as it is told. */
  notify(count?: number): void;
  /** Wakes everybody who waits. */
  notifyAll(): void;
  /** What is to be seen from outside; the same whenever nobody holds the lock or waits, but for numbers that only grow. */
  statistics?(): object;
}

/**
 * Checks that something is a condition: `wait` gives the lock back and holds it again when it ends, also when it was
 * cancelled; those who wait are notified in order; a notification that meets a cancellation goes to the next; every `wait` is
 * a checkpoint. Each rule is tried under many schedules. Its lock can be checked with `checkLock`.
 *
 * Cancellation: reaches the rule that is being tried.
 *
 * @param create - makes a new condition
 * @throws {@link TestError} `MW_ERR_RULE_BROKEN` with the properties `rule` and `seed`; `cause` is what was seen
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad option
 *
 * @example
 * ```ts
 * import { Condition } from "meanwhile";
 * import { checkCondition, checkLock } from "meanwhile/testing";
 *
 * await checkCondition(() => new Condition());
 * await checkLock(() => new Condition());
 * ```
 */
export async function checkCondition(
  create: () => ConditionLike,
  options: ConformanceOptions = {},
): Promise<ConformanceReport> {
  return await checkRules({ name: "checkCondition", what: "condition", create, rulesOf }, options);
}

function rulesOf(create: () => ConditionLike): Rule[] {
  const played = rulesOn((stage) => new Room(create, stage));
  const rules = [
    played("gives the lock back while it waits", givesLockBack),
    played("every wait is a checkpoint, after which the lock is held", isCheckpoint),
    played("holds the lock when a wait returns", holdsLock),
    played("notifies those who have waited longest, as many as it is told", notifiesInOrder),
    played("holds the lock when a wait is cancelled", holdsLockWhenCancelled),
    played("a cancelled waiter is not notified", cancelledIsNotNotified),
    played("a notification that meets a cancellation is not lost", keepsNotification),
  ];
  if (create().statistics !== undefined) rules.push(played("statistics return to what they were", statisticsReturn));
  return rules;
}

/** One condition on a stage. */
class Room {
  readonly #create: () => ConditionLike;
  readonly stage: Stage;
  condition: ConditionLike;
  /** How many are between the end of a wait and the return of the lock. */
  #inside = 0;

  constructor(create: () => ConditionLike, stage: Stage) {
    this.#create = create;
    this.stage = stage;
    this.condition = create();
  }

  renew(): void {
    this.condition = this.#create();
  }

  /** Somebody takes the lock, waits, looks whether others go on at the same time, and gives the lock back. */
  wait(): Promise<Caller<void>> {
    const { condition } = this;
    return this.stage.call(async () => {
      using _ = await condition.acquire();
      const [ended] = await Promise.allSettled([condition.wait()]);
      this.#inside += 1;
      const others = this.#inside - 1;
      await shield(() => sleep(0));
      this.#inside -= 1;
      expect(others === 0, "a wait has ended while somebody else holds the lock");
      if (ended.status === "rejected") throw ended.reason;
    });
  }

  async threeWait(): Promise<[Caller<void>, Caller<void>, Caller<void>]> {
    return [await this.wait(), await this.wait(), await this.wait()];
  }

  /** Does something with the lock held, and gives it back. */
  async holding(change: () => unknown): Promise<void> {
    {
      using _ = await this.condition.acquire();
      await change();
    }
    await this.stage.settle();
  }
}

async function givesLockBack(room: Room): Promise<void> {
  const waiter = await room.wait();
  const newcomer = await room.stage.call(() => room.condition.acquire());
  expectFates("While somebody waits, the waiter and somebody who takes the lock", [waiter, newcomer], "waits", "got");
}

async function isCheckpoint(room: Room): Promise<void> {
  const { condition, stage } = room;
  {
    using _ = await condition.acquire();
    await expectRefused(() => condition.wait(), "While the lock is held");
    const newcomer = await stage.call(() => condition.acquire());
    expectFates("After a wait that was refused, somebody else who wants the lock", [newcomer], "waits");
    newcomer.cancel();
    await stage.settle();
  }
  await room.holding(() => condition.notifyAll());
}

async function notifiesInOrder(room: Room): Promise<void> {
  const [first, second, third] = await room.threeWait();
  await room.holding(() => room.condition.notify());
  expectFates("When one was notified, those who wait", [first, second, third], "got", "waits", "waits");
  const [fourth, fifth] = [await room.wait(), await room.wait()];
  await room.holding(() => room.condition.notify(2));
  expectFates("When two were notified, those who wait", [second, third, fourth, fifth], "got", "got", "waits", "waits");
  await room.holding(() => room.condition.notifyAll());
  expectFates("When all were notified, those who wait", [fourth, fifth], "got", "got");
  expectFates("When nobody was notified since, somebody who waits", [await room.wait()], "waits");
}

async function holdsLock(room: Room): Promise<void> {
  const waiters = await room.threeWait();
  await room.holding(() => room.condition.notifyAll());
  expectFates("When all were notified, those who wait", waiters, "got", "got", "got");
}

async function holdsLockWhenCancelled(room: Room): Promise<void> {
  const waiter = await room.wait();
  await room.holding(async () => {
    waiter.cancel();
    await room.stage.settle();
    expectFates("While somebody else holds the lock, a waiter that was cancelled", [waiter], "waits");
  });
  expectFates("When the lock was given back, the waiter that was cancelled", [waiter], "cancelled");
  const newcomer = await room.stage.call(() => room.condition.acquire());
  expectFates("After that, somebody who wants the lock", [newcomer], "got");
}

async function cancelledIsNotNotified(room: Room): Promise<void> {
  const [first, second, third] = await room.threeWait();
  second.cancel();
  await room.stage.settle();
  expectFates("When the second was cancelled, those who wait", [first, second, third], "waits", "cancelled", "waits");
  await room.holding(() => room.condition.notify(2));
  expectFates("When two were notified after that, the others", [first, third], "got", "got");
}

async function keepsNotification(room: Room): Promise<void> {
  for (const { name, meet } of MEETINGS) {
    room.renew();
    const [waiter, next] = [await room.wait(), await room.wait()];
    await room.holding(() =>
      meet(
        () => room.condition.notify(),
        () => waiter.cancel(),
      ),
    );
    if (waiter.has) expectFates(`After ${name}, when the one who waited has returned, the next one`, [next], "waits");
    else expectFates(`After ${name}, the one who waited and the next one`, [waiter, next], "cancelled", "got");
  }
}

async function statisticsReturn(room: Room): Promise<void> {
  await expectSameStatistics(room.condition, room.stage, async () => {
    const [, second] = await room.threeWait();
    second.cancel();
    await room.holding(() => room.condition.notifyAll());
  });
}
