// What rules of several kits need.

import { inspect, isDeepStrictEqual } from "node:util";

import { isCancelled } from "../../flow/cancellation-checks.ts";
import { cancelScope } from "../../lowlevel.ts";
import { assertCheckpoints } from "../assert-checkpoints.ts";
import { expect, type Stage } from "./stage.ts";

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
    scope.cancel("a rule of the kit has cancelled this scope before the call");
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

/**
 * Checks that statistics are the same before and after something that undoes all it does. A number may have grown that was
 * never seen to fall in between, whenever nothing moved: it counts what has happened.
 */
export async function expectSameStatistics(
  subject: { statistics?(): object },
  stage: Stage,
  use: () => Promise<void>,
): Promise<void> {
  const seen: unknown[] = [];
  const look = (): void => void seen.push(structuredCopy(subject.statistics?.()));
  look();
  stage.onSettled = look;
  await use();
  stage.onSettled = null;
  look();
  const [was, is] = [seen[0], seen.at(-1)].map((value) => inspect(value, { depth: 3, breakLength: Infinity }));
  expect(isUnchanged(seen), `they were ${was} and are ${is}`);
}

// What is read may change while nobody looks.
function structuredCopy(value: unknown): unknown {
  if (!isPlain(value)) return value;
  const copies = Object.entries(value).map(([name, part]): [string, unknown] => [name, structuredCopy(part)]);
  return Object.fromEntries(copies);
}

function isUnchanged(seen: readonly unknown[]): boolean {
  const [first, last] = [seen[0], seen.at(-1)];
  if (isDeepStrictEqual(first, last)) return true;
  if (seen.every((value) => typeof value === "number" || typeof value === "bigint")) return onlyGrows(seen);
  if (!seen.every(isPlain)) return false;
  const names = new Set(seen.flatMap((value) => Object.keys(value)));
  return [...names].every((name) => isUnchanged(seen.map((value) => value[name])));
}

function onlyGrows(numbers: ReadonlyArray<number | bigint>): boolean {
  return numbers.every((value, i) => i === 0 || value >= (numbers[i - 1] ?? value));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
