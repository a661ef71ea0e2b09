// The rules of everything that gives out permits: locks, semaphores, limiters.

import { assertNoCheckpoints } from "../assert-checkpoints.ts";
import type { SequentialSpec } from "../sequential.ts";
import { expectCheckpoint, expectRefused, expectSameStatistics, MEETINGS } from "./common.ts";
import { type Rule, rulesOn, sequentialRule } from "./rules.ts";
import { type Caller, expect, expectFates, type Stage } from "./stage.ts";

/** Something that gives out permits. */
export interface PermitSource {
  /**
   * Waits for a permit. Disposing of it gives it back; disposing of it again does nothing, or throws.
   *
   * Cancellation: safe. A call that throws holds no permit.
   */
  acquire(): PromiseLike<Disposable>;
  /** Takes a permit if one is free. */
  tryAcquire?(): Disposable | undefined;
  /**
   * What is to be seen from outside: the same whenever nobody holds a permit or waits for one, but for numbers that only
   * grow.
   */
  statistics?(): object;
}

/** Everything that gives out a number of permits keeps these rules. */
export function permitRules(create: () => PermitSource, capacity: number): Rule[] {
  const played = rulesOn((stage) => new Permits(create(), capacity, stage));
  const rules = [
    played("gives out no more permits than there are", givesNoMore),
    played("every acquire is a checkpoint", isCheckpoint),
    played("serves waiters in the order they asked", servesInOrder),
    played("lets no newcomer overtake a waiter", letsNobodyOvertake),
    played("a cancelled waiter loses its place and takes nothing", cancelledTakesNothing),
    played("a hand-over and a cancellation in one turn keep all or nothing", keepsAllOrNothing),
    played("a permit that is given back twice counts once", countsOnce),
  ];
  const sample = create();
  if (sample.tryAcquire !== undefined) rules.push(played("tryAcquire never waits", triesWithoutWaiting));
  if (sample.statistics !== undefined) rules.push(played("statistics return to what they were", statisticsReturn));
  rules.push(sequentialRule(() => specOf(create, capacity)));
  return rules;
}

/** One source on a stage. */
class Permits {
  readonly source: PermitSource;
  readonly capacity: number;
  readonly stage: Stage;

  constructor(source: PermitSource, capacity: number, stage: Stage) {
    this.source = source;
    this.capacity = capacity;
    this.stage = stage;
  }

  ask(): Promise<Caller<Disposable>> {
    return this.stage.call(() => this.source.acquire());
  }

  askEach(count: number): Promise<Caller<Disposable>[]> {
    return this.stage.callEach(count, () => this.source.acquire());
  }

  /** Lets somebody take each permit; fails if there are fewer. Returns the holder of one of them. */
  async takeAll(): Promise<{
    readonly holder: Caller<Disposable>;
    readonly others: ReadonlyArray<Caller<Disposable>>;
  }> {
    const holder = await this.ask();
    const others = await this.askEach(this.capacity - 1);
    const callers = [holder, ...others];
    expectFates("When all permits are free", callers, ...callers.map(() => "got" as const));
    return { holder, others };
  }

  /** Checks that nobody holds a permit or waits for one. */
  async expectAllFree(when: string): Promise<void> {
    const callers = await this.askEach(this.capacity + 1);
    const wanted = callers.map((_, i) => (i < this.capacity ? ("got" as const) : ("waits" as const)));
    expectFates(
      `${when}, when all permits have been given back and each is asked for, and one more`,
      callers,
      ...wanted,
    );
  }

  async giveBack(...callers: ReadonlyArray<Caller<Disposable>>): Promise<void> {
    for (const caller of callers) caller.giveBack();
    await this.stage.settle();
  }
}

async function givesNoMore(permits: Permits): Promise<void> {
  await permits.expectAllFree("At the beginning");
}

async function isCheckpoint(permits: Permits): Promise<void> {
  const { source } = permits;
  const permit = await expectCheckpoint(() => source.acquire(), "While a permit is free");
  permit[Symbol.dispose]();
  const { holder, others } = await permits.takeAll();
  await expectRefused(() => source.acquire(), "While no permit is free");
  await permits.giveBack(holder, ...others);
  await permits.expectAllFree("After calls that were refused");
}

async function servesInOrder(permits: Permits): Promise<void> {
  const { holder } = await permits.takeAll();
  const [first, second, third] = [await permits.ask(), await permits.ask(), await permits.ask()];
  expectFates("While no permit is free", [first, second, third], "waits", "waits", "waits");
  await permits.giveBack(holder);
  expectFates("When one permit was given back", [first, second, third], "got", "waits", "waits");
  await permits.giveBack(first);
  expectFates("When another one was given back", [second, third], "got", "waits");
  await permits.giveBack(second);
  expectFates("When a third one was given back", [third], "got");
}

async function letsNobodyOvertake(permits: Permits): Promise<void> {
  const { source, stage } = permits;
  const { holder } = await permits.takeAll();
  const waiter = await permits.ask();
  holder.giveBack();
  const tried = source.tryAcquire?.();
  const newcomer = stage.callNow(() => source.acquire());
  await stage.settle();
  expect(tried === undefined, "tryAcquire takes the permit that was given back, though somebody waits for it");
  expectFates(
    "When a permit was given back and somebody asks in the same turn, those who wait and ask",
    [waiter, newcomer],
    "got",
    "waits",
  );
}

async function cancelledTakesNothing(permits: Permits): Promise<void> {
  const { stage } = permits;
  const { holder, others } = await permits.takeAll();
  const [first, second, third] = [await permits.ask(), await permits.ask(), await permits.ask()];
  second.cancel();
  await stage.settle();
  expectFates("When the second waiter was cancelled", [first, second, third], "waits", "cancelled", "waits");
  await permits.giveBack(holder);
  expectFates("When a permit was given back after that", [first, third], "got", "waits");
  await permits.giveBack(first);
  expectFates("When another one was given back after that", [third], "got");
  await permits.giveBack(third, ...others);
  await permits.expectAllFree("After a cancellation");
}

async function keepsAllOrNothing({ source, capacity, stage }: Permits): Promise<void> {
  for (const { name, meet } of MEETINGS) {
    const permits = new Permits(source, capacity, stage);
    const { holder, others } = await permits.takeAll();
    const [waiter, next] = [await permits.ask(), await permits.ask()];
    await meet(
      () => holder.giveBack(),
      () => waiter.cancel(),
    );
    await stage.settle();
    if (waiter.has) {
      expectFates(`After ${name}, when the waiter has the permit, the next one`, [next], "waits");
      await permits.giveBack(waiter);
    } else expectFates(`After ${name}, the waiter and the next one`, [waiter, next], "cancelled", "got");
    await permits.giveBack(next, ...others);
  }
  await new Permits(source, capacity, stage).expectAllFree("After hand-overs that met cancellations");
}

async function countsOnce(permits: Permits): Promise<void> {
  const { holder, others } = await permits.takeAll();
  await permits.giveBack(holder);
  giveBackAgain(holder.value);
  await permits.giveBack(...others);
  await permits.expectAllFree("After one of them was given back twice");
}

// It may refuse that as a mistake.
function giveBackAgain(permit: Disposable): void {
  try {
    permit[Symbol.dispose]();
  } catch {}
}

async function triesWithoutWaiting({ source, capacity, stage }: Permits): Promise<void> {
  const tryAcquire = (): Promise<Disposable | undefined> => assertNoCheckpoints(() => source.tryAcquire?.());
  const callers = await stage.callEach(capacity + 1, tryAcquire);
  const last = callers.pop();
  expect(
    callers.every(({ value }) => value !== undefined),
    "it returns undefined while a permit is free",
  );
  expect(last?.value === undefined, "it returns a permit while none is free");
  for (const caller of callers) caller.giveBack();
  await new Permits(source, capacity, stage).expectAllFree("After calls of tryAcquire");
}

async function statisticsReturn(permits: Permits): Promise<void> {
  await expectSameStatistics(permits.source, permits.stage, async () => {
    const { holder, others } = await permits.takeAll();
    const [waiter, cancelled] = [await permits.ask(), await permits.ask()];
    cancelled.cancel();
    await permits.giveBack(holder, ...others);
    await permits.giveBack(waiter);
  });
}

interface Held {
  readonly source: PermitSource;
  /** What each actor holds. */
  readonly permits: Map<number, Disposable>;
}

type Call = "acquire" | "tryAcquire" | "give back";

/** The model: who holds a permit. An actor that holds one does not ask again: not everything that gives out permits allows it. */
function specOf(create: () => PermitSource, capacity: number): SequentialSpec<Held, readonly number[], Call> {
  const tries = create().tryAcquire !== undefined;
  return {
    create: () => ({ source: create(), permits: new Map() }),
    calls: tries ? ["acquire", "tryAcquire", "give back"] : ["acquire", "give back"],
    perform: performOn,
    initial: [],
    step: (holders, call, actor) => {
      const holds = holders.includes(actor);
      if (call === "give back") return { state: holders.filter((one) => one !== actor), result: holds };
      if (holds) return { state: holders, result: "holds one" };
      if (holders.length < capacity) return { state: [...holders, actor].toSorted((a, b) => a - b), result: true };
      return call === "acquire" ? null : { state: holders, result: false };
    },
  };
}

async function performOn({ source, permits }: Held, call: Call, actor: number): Promise<unknown> {
  const held = permits.get(actor);
  if (call === "give back") {
    permits.delete(actor);
    held?.[Symbol.dispose]();
    return held !== undefined;
  }
  if (held !== undefined) return "holds one";
  const permit = call === "acquire" ? await source.acquire() : source.tryAcquire?.();
  if (permit !== undefined) permits.set(actor, permit);
  return permit !== undefined;
}
