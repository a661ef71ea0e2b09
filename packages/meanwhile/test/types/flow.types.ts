// What the combinators make of the types they are given. Checked by `npm run types`, never run.

import { expectTypeOf } from "expect-type";
import {
  any,
  chain,
  coroutine,
  createTask,
  exponential,
  forEach,
  gather,
  gatherSettled,
  map,
  race,
  retry,
  retrying,
} from "meanwhile";

const lazy = coroutine(async (id: number) => ({ id }));
declare const maybe: Promise<string> | (() => number);

// gather: a tuple for a tuple, an array for anything else; readonly inputs are welcome.
expectTypeOf(gather([async () => 1, () => "a", lazy(1), Promise.resolve(true), createTask(() => 1n)])).toEqualTypeOf<
  Promise<[number, string, { id: number }, boolean, bigint]>
>();
const frozen = [async () => 1, () => "a"] as const;
expectTypeOf(gather(frozen)).toEqualTypeOf<Promise<[number, string]>>();
expectTypeOf(gather([])).toEqualTypeOf<Promise<[]>>();
expectTypeOf(gather([1, 2].map((id) => () => lazy(id)))).toEqualTypeOf<Promise<Array<{ id: number }>>>();
expectTypeOf(gather(new Set([async () => 1]), { concurrency: 2 })).toEqualTypeOf<Promise<number[]>>();
expectTypeOf(gather([maybe])).toEqualTypeOf<Promise<[string | number]>>();
expectTypeOf(gather([() => lazy(1)])).toEqualTypeOf<Promise<[{ id: number }]>>();
expectTypeOf(gather([async () => {}])).toEqualTypeOf<Promise<[void]>>();

// @ts-expect-error a value is not a job
gather([1]);
// @ts-expect-error a job takes no arguments
gather([(id: number) => id]);
// @ts-expect-error there is no such option
gather([() => 1], { limit: 2 });

expectTypeOf(gatherSettled([async () => 1, () => "a"])).toEqualTypeOf<
  Promise<[PromiseSettledResult<number>, PromiseSettledResult<string>]>
>();
expectTypeOf(gatherSettled(new Set([async () => 1]))).toEqualTypeOf<Promise<Array<PromiseSettledResult<number>>>>();

// race and any: one of the results.
expectTypeOf(race([async () => 1, () => "a", lazy(1)])).toEqualTypeOf<Promise<number | string | { id: number }>>();
expectTypeOf(any([async () => 1, () => "a"])).toEqualTypeOf<Promise<number | string>>();
expectTypeOf(any(new Set([async () => 1]))).toEqualTypeOf<Promise<number>>();
// @ts-expect-error a race has no limit
race([() => 1], { concurrency: 1 });

// map and forEach: the type of the items goes in, that of the results comes out.
async function* lines(): AsyncGenerator<string> {}
expectTypeOf(map([1, 2], async (id) => `${id}`, { concurrency: 2 })).toEqualTypeOf<AsyncIterable<string>>();
expectTypeOf(map(lines(), (line) => line.length, { concurrency: 2 })).toEqualTypeOf<AsyncIterable<number>>();
expectTypeOf(map([1], lazy, { concurrency: 2, ordered: false })).toEqualTypeOf<AsyncIterable<{ id: number }>>();
expectTypeOf(forEach("text", (char) => char.codePointAt(0), { concurrency: 1 })).toEqualTypeOf<Promise<void>>();
forEach(new Map([["a", 1]]), ([key, value], index) => [key, value, index], { concurrency: 1 });
// @ts-expect-error concurrency is required
map([1], (id) => id, {});
// @ts-expect-error concurrency is required
forEach([1], (id) => id);
// @ts-expect-error the function does not take these items
forEach([1], (line: string) => line, { concurrency: 1 });
// @ts-expect-error an effect has no order
forEach([1], (id) => id, { concurrency: 1, ordered: true });

// retry and retrying: the function's own signature.
expectTypeOf(retry(() => 1)).toEqualTypeOf<Promise<number>>();
expectTypeOf(retry(lazy(1), { attempts: 1 })).toEqualTypeOf<Promise<{ id: number }>>();
const load = async (id: number, deep?: boolean): Promise<string> => `${id}${deep}`;
expectTypeOf(retrying(load)).parameters.toEqualTypeOf<Parameters<typeof load>>();
expectTypeOf(retrying(load)).returns.toEqualTypeOf<Promise<string>>();
expectTypeOf(retrying((id: number) => id)).returns.toEqualTypeOf<Promise<number>>();
retry(() => 1, { backoff: chain(1, 2), when: async () => true, onRetry: ({ attempt }) => attempt.toFixed() });
retry(() => 1, { backoff: (attempt, error) => (error instanceof Error ? attempt : 0) });
// @ts-expect-error there is no such jitter
exponential({ jitter: "some" });
// @ts-expect-error a delay is no backoff
retry(() => 1, { backoff: 100 });
