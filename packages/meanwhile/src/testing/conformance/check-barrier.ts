// Is it a barrier?

import { expectCheckpoint, expectRefused, expectSameStatistics, MEETINGS } from "./common.ts";
import { checkRules, type ConformanceOptions, type ConformanceReport, type Rule, rulesOn } from "./rules.ts";
import { type Caller, expect, expectFates, type Stage } from "./stage.ts";

/** A place where callers wait for each other. */
export interface BarrierLike {
  /**
   * Waits until all parties have come.
   *
   * Cancellation: safe. A caller that is cancelled has not come, and the barrier waits for another one.
   */
  wait(): PromiseLike<unknown>;
  /** What is to be seen from outside; the same whenever nobody waits, but for numbers that only grow. */
  statistics?(): object;
}

/** How many have to come to the barriers that are played with. */
const PARTIES = 3;

/**
 * Checks that something is a barrier: nobody goes on before all have come, and then all do; the next ones to come are another
 * round; a caller that is cancelled has not come; every `wait` is a checkpoint. If `wait` returns numbers, those of one round
 * differ. Each rule is tried under many schedules.
 *
 * Cancellation: reaches the rule that is being tried.
 *
 * @param create - makes a new barrier for so many parties
 * @throws {@link TestError} `MW_ERR_RULE_BROKEN` with the properties `rule` and `seed`; `cause` is what was seen
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad option
 *
 * @example
 * ```ts
 * import { Barrier } from "meanwhile";
 * import { checkBarrier } from "meanwhile/testing";
 *
 * await checkBarrier((parties) => new Barrier(parties));
 * ```
 */
export async function checkBarrier(
  create: (parties: number) => BarrierLike,
  options: ConformanceOptions = {},
): Promise<ConformanceReport> {
  return await checkRules({ name: "checkBarrier", what: "barrier", create, rulesOf }, options);
}

function rulesOf(create: (parties: number) => BarrierLike): Rule[] {
  const played = rulesOn((stage) => new Gate(create, stage));
  const rules = [
    played("lets nobody go on before all have come", waitsForAll),
    played("every wait is a checkpoint", isCheckpoint),
    played("those who come next are another round", beginsAnew),
    played("gives those who go on together different numbers, if it gives any", givesNumbers),
    played("a cancelled caller has not come", cancelledHasNotCome),
    played("the last to come and a cancellation in one turn let all go on or keep all", keepsAllOrNone),
  ];
  if (create(PARTIES).statistics !== undefined) {
    rules.push(played("statistics return to what they were", statisticsReturn));
  }
  return rules;
}

/** One barrier on a stage. */
class Gate {
  readonly #create: (parties: number) => BarrierLike;
  readonly stage: Stage;
  barrier: BarrierLike;

  constructor(create: (parties: number) => BarrierLike, stage: Stage) {
    this.#create = create;
    this.stage = stage;
    this.barrier = create(PARTIES);
  }

  renew(parties: number): void {
    this.barrier = this.#create(parties);
  }

  come(): Promise<Caller<unknown>> {
    return this.stage.call(() => this.barrier.wait());
  }
}

async function waitsForAll(gate: Gate): Promise<void> {
  const [first, second] = [await gate.come(), await gate.come()];
  expectFates("When two of three have come, they", [first, second], "waits", "waits");
  const third = await gate.come();
  expectFates("When all have come, they", [first, second, third], "got", "got", "got");
}

async function isCheckpoint(gate: Gate): Promise<void> {
  await expectRefused(() => gate.barrier.wait(), "While nobody has come");
  const [first, second] = [await gate.come(), await gate.come()];
  await expectRefused(() => gate.barrier.wait(), "While all others have come");
  await gate.stage.settle();
  expectFates("When the last one was refused, the others", [first, second], "waits", "waits");
  gate.renew(1);
  await expectCheckpoint(() => gate.barrier.wait(), "Where there are no others");
}

async function beginsAnew(gate: Gate): Promise<void> {
  const { barrier, stage } = gate;
  const [first, second] = [await gate.come(), await gate.come()];
  // In one turn: those who were let go have not gone on yet.
  const third = stage.callNow(() => barrier.wait());
  const early = stage.callNow(() => barrier.wait());
  await stage.settle();
  const round = [first, second, third, early];
  const came = round.filter((caller) => caller.has).length;
  expect(came === PARTIES, `when four have come to a barrier for three, ${came} go on`);
  const [next, last] = [await gate.come(), await gate.come()];
  expectFates("When the second three have come, all", [...round, next, last], "got", "got", "got", "got", "got", "got");
}

async function givesNumbers(gate: Gate): Promise<void> {
  const numbers = [await gate.come(), await gate.come(), await gate.come()].map(({ value }) => value);
  if (!numbers.every((value) => typeof value === "number")) return;
  expect(new Set(numbers).size === PARTIES, `they get ${numbers.join(", ")}`);
}

async function cancelledHasNotCome(gate: Gate): Promise<void> {
  const [first, second] = [await gate.come(), await gate.come()];
  first.cancel();
  await gate.stage.settle();
  expectFates("When the first of two was cancelled, they", [first, second], "cancelled", "waits");
  const third = await gate.come();
  expectFates("When another one has come after that, the two", [second, third], "waits", "waits");
  const fourth = await gate.come();
  expectFates("When one more has come, the three", [second, third, fourth], "got", "got", "got");
}

async function keepsAllOrNone(gate: Gate): Promise<void> {
  for (const { name, meet } of MEETINGS) {
    gate.renew(PARTIES);
    const { barrier, stage } = gate;
    const [first, second] = [await gate.come(), await gate.come()];
    const last: Caller<unknown>[] = [];
    await meet(
      () => last.push(stage.callNow(() => barrier.wait())),
      () => first.cancel(),
    );
    await stage.settle();
    if (first.has) {
      expectFates(`After ${name}, when the one who was cancelled goes on, the others`, [second, ...last], "got", "got");
      continue;
    }
    expectFates(`After ${name}, they`, [first, second, ...last], "cancelled", "waits", "waits");
    const another = await gate.come();
    expectFates(`After ${name}, when another one has come, the three`, [second, ...last, another], "got", "got", "got");
  }
}

async function statisticsReturn(gate: Gate): Promise<void> {
  await expectSameStatistics(gate.barrier, gate.stage, async () => {
    const cancelled = await gate.come();
    cancelled.cancel();
    for (let i = 0; i < PARTIES; i++) await gate.come();
  });
}
