// What rules of several kits need.

import { inspect, isDeepStrictEqual } from "node:util";

import { isCancelled } from "../../flow/cancellation-checks.ts";
import { cancelScope } from "../../lowlevel.ts";
import { assertCheckpoints } from "../assert-checkpoints.ts";
import { expect } from "./stage.ts";

/** A hand-over and a cancellation in one turn, in some order. */
export type Meeting = (handOver: () => unknown, cancel: () => void) => Promise<void>;

/** How many microtasks lie between the two, at most. */
const MOST_STEPS = 3;

/** All ways in which a hand-over can meet a cancellation. */
export const MEETINGS: ReadonlyArray<{ readonly name: string; readonly meet: Meeting }> = Array.from(
  { length: 2 * (MOST_STEPS + 1) },
  (_, i) => {
    const handOverFirst = i % 2 === 0;
    const steps = Math.floor(i / 2);
    return {
      name: `${handOverFirst ? "a hand-over and then a cancellation" : "a cancellation and then a hand-over"}, ${steps} microtasks later`,
      meet: async (handOver, cancel) => {
        const [first, second] = handOverFirst ? [handOver, cancel] : [cancel, handOver];
        first();
        for (let step = 0; step < steps; step++) await Promise.resolve();
        second();
      },
    };
  },
);

/** Checks that a call throws at once in a scope that is cancelled. */
export async function expectRefused(call: () => PromiseLike<unknown>, where: string): Promise<void> {
  let seen: unknown = null;
  await cancelScope(async (scope) => {
    scope.cancel("before the call");
    try {
      await call();
    } catch (error) {
      seen = error;
      expect(isCancelled(error), `${where}, in a cancelled scope, the call throws ${String(error)}`);
    }
  });
  expect(seen !== null, `${where}, the call returns although its scope is cancelled`);
}

/** Checks that a call that need not wait is a checkpoint all the same. Returns its value. */
export async function expectCheckpoint<T>(call: () => PromiseLike<T>, where: string): Promise<T> {
  await expectRefused(call, where);
  return await assertCheckpoints(async () => await call());
}

/** Checks that statistics are the same before and after something that undoes all it does. */
export async function expectSameStatistics(
  subject: { statistics?(): object },
  use: () => Promise<void>,
): Promise<void> {
  const before = subject.statistics?.();
  await use();
  const after = subject.statistics?.();
  const [was, is] = [before, after].map((value) => inspect(value, { depth: 1, breakLength: Infinity }));
  expect(isDeepStrictEqual(after, before), `they were ${was} and are ${is}`);
}
