// What the combinators, retries and timeouts make of the types they are given. Checked by `npm run types`, never run.

import { expectTypeOf } from "expect-type";
import {
  any,
  asCompleted,
  type Backoff,
  type CancelScope,
  cancelScope,
  chain,
  coroutine,
  createTask,
  exponential,
  fixed,
  forEach,
  gather,
  gatherSettled,
  isCancelled,
  type Job,
  map,
  moveOnAfter,
  now,
  race,
  rethrowIfCancelled,
  retry,
  type RetryEvent,
  retrying,
  shield,
  sleep,
  sleepForever,
  sleepUntil,
  type Task,
  timeout,
  timeoutAt,
  unwrapSingle,
  wait,
  type WaitResult,
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
expectTypeOf(gatherSettled(frozen)).toEqualTypeOf<
  Promise<[PromiseSettledResult<number>, PromiseSettledResult<string>]>
>();
expectTypeOf(gatherSettled([lazy(1), maybe])).toEqualTypeOf<
  Promise<[PromiseSettledResult<{ id: number }>, PromiseSettledResult<string | number>]>
>();
// @ts-expect-error a value is not a job
gatherSettled([1]);

// race and any: one of the results.
expectTypeOf(race([async () => 1, () => "a", lazy(1)])).toEqualTypeOf<Promise<number | string | { id: number }>>();
expectTypeOf(any([async () => 1, () => "a"])).toEqualTypeOf<Promise<number | string>>();
expectTypeOf(any(new Set([async () => 1]))).toEqualTypeOf<Promise<number>>();
expectTypeOf(race(frozen)).toEqualTypeOf<Promise<number | string>>();
expectTypeOf(any([maybe, Promise.resolve(true)])).toEqualTypeOf<Promise<string | number | boolean>>();
// @ts-expect-error a value is not a job
race(["a"]);
// @ts-expect-error a race has no limit
race([() => 1], { concurrency: 1 });

// asCompleted: one of the results at a time.
expectTypeOf(asCompleted([async () => 1, () => "a", lazy(1)])).toEqualTypeOf<
  AsyncIterable<number | string | { id: number }>
>();
expectTypeOf(asCompleted(frozen, { concurrency: 1 })).toEqualTypeOf<AsyncIterable<number | string>>();
expectTypeOf(asCompleted([Promise.resolve(true), createTask(() => 1n)])).toEqualTypeOf<
  AsyncIterable<boolean | bigint>
>();
expectTypeOf(asCompleted(new Set([async () => 1]))).toEqualTypeOf<AsyncIterable<number>>();
// @ts-expect-error a value is not a job
asCompleted([1]);
// @ts-expect-error the order is that in which they finish
asCompleted([() => 1], { ordered: true });

// wait: the very tasks that were given.
declare const count: Task<number>;
declare const text: Task<string>;
expectTypeOf(wait([count, text])).toEqualTypeOf<Promise<WaitResult<Task<number> | Task<string>>>>();
expectTypeOf((await wait([count])).done).toEqualTypeOf<Task<number>[]>();
expectTypeOf((await wait([count, text] as const)).pending).toEqualTypeOf<Array<Task<number> | Task<string>>>();
expectTypeOf(wait(new Set([count]), { until: "first", timeoutMs: 5 })).toEqualTypeOf<
  Promise<WaitResult<Task<number>>>
>();
// @ts-expect-error only tasks can be waited for
wait([Promise.resolve(1)]);
// @ts-expect-error only tasks can be waited for
wait([lazy(1)]);
// @ts-expect-error a list of tasks
wait(count);
// @ts-expect-error there is no such end
wait([count], { until: "any" });

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
expectTypeOf(retry((attempt) => attempt)).toEqualTypeOf<Promise<number>>();
expectTypeOf(retry(async (attempt: number) => `${attempt}`)).toEqualTypeOf<Promise<string>>();
declare const job: Job<string>;
expectTypeOf(retry(job)).toEqualTypeOf<Promise<string>>();
retry(() => 1, { onRetry: async (event) => expectTypeOf(event).toEqualTypeOf<RetryEvent>() });
class Client {
  readonly base = "x";
  readonly get = retrying(async function get(this: Client, path: string) {
    return this.base + path;
  });
}
expectTypeOf(new Client().get("/")).toEqualTypeOf<Promise<string>>();
// @ts-expect-error `this` is checked
new Client().get.call({}, "/");
// @ts-expect-error a job has no other argument than the number of the attempt
retry((path: string) => path);
// @ts-expect-error a running promise cannot be tried again
retry(Promise.resolve(1));
expectTypeOf(exponential({ jitter: "equal" })).toEqualTypeOf<Backoff>();
expectTypeOf(fixed(1)).toEqualTypeOf<Backoff>();
// @ts-expect-error there is no such jitter
exponential({ jitter: "some" });
// @ts-expect-error a delay is no backoff
retry(() => 1, { backoff: 100 });

// Bodies with a deadline: the type of what they return; undefined where they may be cut short.
expectTypeOf(timeout(1, () => 1)).toEqualTypeOf<Promise<number>>();
expectTypeOf(timeout(1, async (scope) => scope)).toEqualTypeOf<Promise<CancelScope>>();
expectTypeOf(timeout(1, () => lazy(1))).toEqualTypeOf<Promise<{ id: number }>>();
expectTypeOf(timeoutAt(now() + 1, async () => "a")).toEqualTypeOf<Promise<string>>();
expectTypeOf(moveOnAfter(1, async () => "a")).toEqualTypeOf<Promise<string | undefined>>();
expectTypeOf(cancelScope((scope) => scope.cancelled)).toEqualTypeOf<Promise<boolean | undefined>>();
expectTypeOf(shield(async () => "a", { timeoutMs: 1 })).toEqualTypeOf<Promise<string>>();
expectTypeOf(timeout(1, sleepForever)).toEqualTypeOf<Promise<never>>();
// @ts-expect-error the work has begun before the scope could hold it
timeout(1, sleep(1));
// @ts-expect-error first the time
timeout(() => 1, 1);
// @ts-expect-error the signal is an option
timeout(1, () => 1, new AbortController().signal);
// @ts-expect-error a shield has no deadline in third place
shield(() => 1, 5);

expectTypeOf(sleep(1)).toEqualTypeOf<Promise<void>>();
expectTypeOf(sleepUntil(now())).toEqualTypeOf<Promise<void>>();
expectTypeOf(sleepForever()).toEqualTypeOf<Promise<never>>();
expectTypeOf(now()).toEqualTypeOf<number>();
// @ts-expect-error milliseconds are a number
sleep("1");

// Asking an error what it is.
declare const error: unknown;
expectTypeOf(isCancelled(error)).toEqualTypeOf<boolean>();
expectTypeOf(rethrowIfCancelled(error)).toEqualTypeOf<void>();
expectTypeOf(unwrapSingle(error)).toEqualTypeOf<unknown>();
