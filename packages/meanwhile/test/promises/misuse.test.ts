// The promise: what is used wrongly is refused with a code and a text that says what to do instead, before anything is
// started, and without losing what was handed over: a promise given in the wrong place does not reject unhandled, and a
// coroutine is not reported as forgotten (both would fail this file).
//
// One misuse cannot be written: a `yield` inside of a scope, with which a scope would be entered in one place and left in
// another, at the mercy of whoever iterates. Scopes take a callback, and in that `yield` is a syntax error. What is left of
// it is a generator function given as the callback, which has a code of its own, and an async generator whose steps are
// asked for in different scopes: see the end of this file.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import * as core from "meanwhile";
import {
  any,
  asCompleted,
  Barrier,
  BoundedSemaphore,
  cancellable,
  CapacityLimiter,
  cancelScope,
  type CancelScope,
  chain,
  Condition,
  coroutine,
  createTask,
  currentScope,
  currentTask,
  exponential,
  fixed,
  forEach,
  gather,
  gatherSettled,
  isCancelled,
  LifoQueue,
  map,
  moveOnAfter,
  PriorityQueue,
  Queue,
  race,
  RateLimiter,
  retry,
  retrying,
  run,
  Semaphore,
  shield,
  sleep,
  sleepForever,
  sleepUntil,
  type Task,
  taskGroup,
  type TaskGroup,
  timeout,
  timeoutAt,
  UsageError,
  wait,
} from "meanwhile";
import { atRunExit } from "meanwhile/lowlevel";
import * as testing from "meanwhile/testing";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { refuseSecondCopy } from "../../src/kernel/current.ts";
import { errorOf } from "../util/outcomes.ts";
import { unhurried } from "../util/unhurried.ts";

/** What is done wrongly, and what the error says. */
type Row = readonly [call: string, misuse: () => unknown, message: RegExp];

async function refused(misuse: () => unknown, code: string, message: RegExp): Promise<void> {
  const error = await errorOf((async () => misuse())());
  assert.ok(error instanceof UsageError, `thrown was ${String(error)}`);
  assert.equal(error.code, code);
  assert.match(error.message, /^Cannot .*[^.]$/);
  assert.match(error.message, message);
}

function refusesInsideOfRuns(code: string, rows: readonly Row[]): void {
  for (const [call, misuse, message] of rows) it(call, () => run(() => refused(misuse, code, message)));
}

// What is given in the wrong place. `as never`: the compiler refuses nearly all of this.
const lazy = coroutine(async function load() {});
const promise = (): never => Promise.reject(new Error("handed over, so not unhandled")) as never;
const coro = (): never => lazy() as never;
const never = (): never => assert.fail("started");
const bad = (value: unknown): never => value as never;

const WRONG_ARGUMENTS: readonly Row[] = [
  ["run(undefined)", () => run(bad(undefined)), /^Cannot start undefined with run: that is no job; pass a function/],
  ["run(main, { graceMs: -1 })", () => run(never, { graceMs: -1 }), /'graceMs' -1; pass milliseconds >= 0/],
  ["run(main, { clock: {} })", () => run(never, { clock: bad({}) }), /pass a Clock$/],
  ["run(main, { signal: {} })", () => run(never, { signal: bad({}) }), /pass an AbortSignal$/],
  ["run(main, null)", () => run(never, bad(null)), /^Cannot use null as the options of run; pass an object/],
  ["createTask(job, null)", () => createTask(never, bad(null)), /^Cannot use null as the options of createTask/],
  ["createTask(coroutine, 5)", () => createTask(lazy(), bad(5)), /options of createTask/],
  ["atRunExit(promise)", () => atRunExit(bad(promise())), /^Cannot call an object .* at the end; pass a function$/],
  ["createTask(5)", () => createTask(bad(5)), /^Cannot start 5 with createTask: that is no job; pass a function/],
  ["coroutine(undefined)", () => coroutine(bad(undefined)), /pass an async function, not the result of calling it$/],
  ["cancellable(5)", () => cancellable(bad(5)), /^Cannot wait for 5; pass a promise, or a function/],

  ["taskGroup(5)", () => taskGroup(bad(5)), /^Cannot run 5 in a scope; pass a function that starts the work/],
  ["taskGroup(body, 5)", () => taskGroup(never, bad(5)), /options of taskGroup; pass an object, like \{ signal \}$/],
  ["taskGroup(body, { signal: 5 })", () => taskGroup(never, { signal: bad(5) }), /5 as 'signal'; pass an AbortSignal$/],
  ["group.createTask(5)", () => inGroup((group) => group.createTask(bad(5))), /^Cannot start 5 with group\.createTask/],
  [
    "group.createTask(job, 5)",
    () => inGroup((group) => group.createTask(never, bad(5))),
    /options of group\.createTask/,
  ],
  ["group.createTask(coroutine, 5)", () => inGroup((group) => group.createTask(lazy(), bad(5))), /group\.createTask/],
  [
    "group.start(5)",
    () => inGroup((group) => group.start(bad(5))),
    /^Cannot start 5 with group\.start; pass a function/,
  ],
  ["group.start(job, 5)", () => inGroup((group) => group.start(never, bad(5))), /as the options of group\.start/],

  ["gather(5)", () => gather(bad(5)), /^Cannot gather 5; pass an array or another iterable of jobs$/],
  ["gather('ab')", () => gather(bad("ab")), /^Cannot gather "ab"; pass an array/],
  ["gather(a promise of jobs)", () => gather(promise()), /^Cannot gather a promise; pass an array/],
  ["gather([5])", () => gather([bad(5), coro(), promise()]), /^Cannot start 5 with gather: that is no job/],
  ["gather(jobs, 5)", () => gather([coro(), promise()], bad(5)), /^Cannot use 5 .* like \{ concurrency: 10 \}$/],
  ["gather(jobs, null)", () => gather([coro(), promise()], bad(null)), /^Cannot use null as the options of gather/],
  [
    "gather(jobs, signal)",
    () => gather([never], bad(AbortSignal.abort())),
    /^Cannot use an AbortSignal as the options/,
  ],
  ["gather(jobs, [])", () => gather([never], bad([])), /^Cannot use an array of 0 as the options of gather/],
  ["gather(endless, 5)", () => gather(endless(), bad(5)), /^Cannot use 5 as the options of gather/],
  [
    "gather(jobs, { concurrency: 0 })",
    () => gather([coro()], { concurrency: 0 }),
    /'concurrency' is 0; pass an integer/,
  ],
  [
    "gather(jobs, { concurrency: '2' })",
    () => gather([coro()], { concurrency: bad("2") }),
    /'concurrency' is "2"; pass/,
  ],
  ["gather(jobs, { signal: {} })", () => gather([coro()], { signal: bad({}) }), /as 'signal'; pass an AbortSignal$/],
  ["gatherSettled(5)", () => gatherSettled(bad(5)), /^Cannot gatherSettled 5; pass an array/],
  ["gatherSettled([undefined])", () => gatherSettled([bad(undefined), coro()]), /with gatherSettled/],
  ["race(5)", () => race(bad(5)), /^Cannot race 5; pass an array/],
  ["race([5])", () => race([bad(5), coro(), promise()]), /^Cannot start 5 with race/],
  ["race(jobs, 5)", () => race([coro()], bad(5)), /^Cannot use 5 as the options of race/],
  ["any(5)", () => any(bad(5)), /^Cannot any 5; pass an array/],
  ["any([5])", () => any([bad(5), coro(), promise()]), /^Cannot start 5 with any/],
  ["asCompleted(5)", () => asCompleted(bad(5)), /^Cannot asCompleted 5; pass an array/],
  ["asCompleted([5])", () => asCompleted([bad(5), coro(), promise()]), /^Cannot start 5 with asCompleted/],
  [
    "asCompleted(jobs, 5)",
    () => asCompleted([coro(), promise()], bad(5)),
    /^Cannot use 5 as the options of asCompleted/,
  ],
  [
    "asCompleted(jobs, { concurrency: -1 })",
    () => asCompleted([coro()], { concurrency: -1 }),
    /'concurrency' is -1; pass/,
  ],
  ["wait(5)", () => wait(bad(5)), /^Cannot wait for 5; pass an array of tasks$/],
  ["wait(a promise of tasks)", () => wait(promise()), /^Cannot wait for a promise; pass an array of tasks$/],
  ["wait([job])", () => wait([bad(never)]), /make one with createTask\(\) first$/],
  ["wait([coroutine])", () => wait([coro()]), /^Cannot wait for the coroutine "load": .* createTask\(\) first$/],
  ["wait([promise])", () => wait([promise()]), /^Cannot wait for a promise: .* createTask\(\) first$/],
  ["wait(tasks, 5)", () => wait([createTask(() => {})], bad(5)), /^Cannot use 5 as the options of wait/],
  ["map(5)", () => map(bad(5), never, { concurrency: 1 }), /^Cannot map 5; pass an iterable of items$/],
  [
    "map(a promise of items)",
    () => map(promise(), never, { concurrency: 1 }),
    /^Cannot map a promise; pass an iterable/,
  ],
  ["map(a function)", () => map(bad(endless), never, { concurrency: 1 }), /"endless"; .*: call the function$/],
  ["map(items, 5)", () => map([1], bad(5), { concurrency: 1 }), /^Cannot map with 5; pass a function of an item$/],
  ["map(items, promise)", () => map([1], promise(), { concurrency: 1 }), /^Cannot map with a promise; pass a function/],
  [
    "map(items, fn)",
    () => map([1], never, bad(undefined)),
    /'concurrency' is undefined; pass an integer >= 1, or Infinity$/,
  ],
  [
    "map(items, fn, 5)",
    () => map([1], never, bad(5)),
    /as the options of map; pass an object, like \{ concurrency: 10 \}$/,
  ],
  [
    "map(items, fn, { concurrency: 0 })",
    () => map([1], never, { concurrency: 0 }),
    /'concurrency' is 0; pass an integer/,
  ],
  ["forEach(5)", () => forEach(bad(5), never, { concurrency: 1 }), /^Cannot forEach 5; pass an iterable of items$/],
  ["forEach(items, 5)", () => forEach([1], bad(5), { concurrency: 1 }), /^Cannot forEach with 5; pass a function/],
  ["forEach(items, fn)", () => forEach([1], never, bad(undefined)), /'concurrency' is undefined; pass an integer/],

  ["retry(5)", () => retry(bad(5)), /^Cannot start 5 with retry: that is no job; pass a function/],
  ["retry(coroutine)", () => retry(coro()), /it runs only once; pass a function that makes a new one$/],
  ["retry(job, 5)", () => retry(never, bad(5)), /options of retry; pass an object, like \{ attempts: 5 \}$/],
  [
    "retry(job, { attempts: 0 })",
    () => retry(never, { attempts: 0 }),
    /'attempts' is 0; pass an integer >= 1, or Infinity$/,
  ],
  ["retry(job, { totalMs: -1 })", () => retry(never, { totalMs: -1 }), /'totalMs' is -1; pass milliseconds >= 0$/],
  ["retry(job, { attemptTimeoutMs: NaN })", () => retry(never, { attemptTimeoutMs: NaN }), /pass milliseconds >= 0$/],
  ["retry(job, { backoff: 100 })", () => retry(never, { backoff: bad(100) }), /pass a function .*, like fixed\(100\)$/],
  [
    "retry(job, { when: true })",
    () => retry(never, { when: bad(true) }),
    /'when' is true; pass a function of the error/,
  ],
  [
    "retry(job, { onRetry: 5 })",
    () => retry(never, { onRetry: bad(5) }),
    /'onRetry' is 5; pass a function of \{ error/,
  ],
  ["retrying(5)", () => retrying(bad(5)), /^Cannot start 5 with retrying/],
  ["retrying(fn, { attempts: 0 })", () => retrying(never, { attempts: 0 }), /'attempts' is 0; pass an integer >= 1/],
  ["exponential(100)", () => exponential(bad(100)), /options of exponential; pass an object, like \{ baseMs: 100 \}$/],
  ["exponential({ baseMs: -1 })", () => exponential({ baseMs: -1 }), /'baseMs' is -1; pass milliseconds >= 0$/],
  ["exponential({ factor: 0 })", () => exponential({ factor: 0 }), /'factor' is 0; pass a number >= 1$/],
  [
    "exponential({ jitter: 'some' })",
    () => exponential({ jitter: bad("some") }),
    /pass one of "full", "equal" and "none"$/,
  ],
  ["fixed('1')", () => fixed(bad("1")), /'delayMs' is "1"; pass milliseconds >= 0$/],
  ["chain(1, -1)", () => chain(1, -1), /'delaysMs' is -1; pass milliseconds >= 0$/],

  ["sleep('5')", () => sleep(bad("5")), /'ms' is "5"; pass milliseconds$/],
  ["sleepUntil(NaN)", () => sleepUntil(NaN), /'deadline' is NaN; pass a time on the scale of now\(\)$/],
  ["timeout('5', body)", () => timeout(bad("5"), never), /'ms' is "5"; pass milliseconds$/],
  ["timeout(work, 5), as in asyncio.wait_for", () => timeout(promise(), bad(5)), /'ms' is .*; pass milliseconds$/],
  ["timeout(coroutine, 5), as in asyncio.wait_for", () => timeout(coro(), bad(5)), /'ms' is .*; pass milliseconds$/],
  ["timeout(5, undefined)", () => timeout(5, bad(undefined)), /^Cannot run undefined in a scope; pass a function/],
  ["timeout(5, body, signal)", () => timeout(5, never, bad(AbortSignal.abort())), /pass an object, like \{ signal \}$/],
  ["timeoutAt('5', body)", () => timeoutAt(bad("5"), never), /'deadline' is "5"; pass a time on the scale of now\(\)$/],
  ["timeoutAt(5, body, null)", () => timeoutAt(5, never, bad(null)), /^Cannot use null as the options of timeoutAt/],
  ["moveOnAfter(NaN, body)", () => moveOnAfter(NaN, never), /'ms' is NaN; pass milliseconds$/],
  ["moveOnAfter(5, body, 5)", () => moveOnAfter(5, never, bad(5)), /^Cannot use 5 as the options of moveOnAfter/],
  ["shield(body, 5)", () => shield(never, bad(5)), /^Cannot use 5 as the options of shield/],
  [
    "shield(body, { timeoutMs: '5' })",
    () => shield(never, { timeoutMs: bad("5") }),
    /'timeoutMs' is "5"; pass milliseconds$/,
  ],
  ["shield(5)", () => shield(bad(5)), /^Cannot run 5 in a scope; pass a function/],
  ["cancelScope(5)", () => cancelScope(bad(5)), /^Cannot run 5 in a scope; pass a function/],
  ["cancelScope(body, 5)", () => cancelScope(never, bad(5)), /^Cannot use 5 as the options of cancelScope/],
  [
    "scope.deadline = NaN",
    () => cancelScope((scope) => (scope.deadline = NaN)),
    /pass a time on the scale of now\(\), or/,
  ],

  ["new Semaphore(0.5)", () => new Semaphore(0.5), /'permits' is 0\.5; pass an integer/],
  ["new BoundedSemaphore(0)", () => new BoundedSemaphore(0), /'permits' is 0; pass an integer >= 1$/],
  ["new CapacityLimiter(-1)", () => new CapacityLimiter(-1), /'totalTokens' is -1; pass an integer >= 0, or Infinity/],
  [
    "new RateLimiter({ limit: 0 })",
    () => new RateLimiter({ limit: 0, intervalMs: 1 }),
    /'limit' is 0; pass an integer >= 1$/,
  ],
  ["new Barrier('2')", () => new Barrier(bad("2")), /'parties' is "2"; pass an integer >= 1$/],
  ["new Queue({})", () => new Queue(bad({})), /'maxSize'/],
  ["new PriorityQueue({})", () => new PriorityQueue(bad({})), /'maxSize'/],
  ["new LifoQueue({})", () => new LifoQueue(bad({})), /'maxSize'/],
  ["new Condition({ lock: {} })", () => new Condition({ lock: bad({}) }), /'lock' is .*; pass a Lock$/],
];

/** The group, and what goes wrong in its body as it was thrown. */
async function inGroup(misuse: (group: TaskGroup) => unknown): Promise<void> {
  await taskGroup(misuse).catch((error: unknown) => {
    throw core.unwrapSingle(error);
  });
}

function* endless(): Generator<() => never> {
  for (;;) yield never;
}

describe("A wrong argument", () => {
  refusesInsideOfRuns("MW_ERR_INVALID_ARGUMENT", WRONG_ARGUMENTS);

  // What takes no argument, or any value at all.
  const TAKES_ANYTHING =
    /^(now|sleepForever|checkpoint|current|allTasks|isCancelled|rethrowIfCancelled|unwrapSingle|Lock|Event)/;

  it("is looked for by every function and class that is exported", () => {
    const missing = Object.entries(core)
      .filter(([name, value]) => typeof value === "function" && !name.endsWith("Error") && !TAKES_ANYTHING.test(name))
      .filter(([name]) => !WRONG_ARGUMENTS.some(([call]) => call.replace(/^new /, "").startsWith(`${name}(`)));
    assert.deepEqual(missing, []);
  });
});

const SPEC = { create: never, calls: [1], perform: never, initial: 0, step: never };
const KITS = [
  ["checkBarrier", testing.checkBarrier],
  ["checkCondition", testing.checkCondition],
  ["checkEvent", testing.checkEvent],
  ["checkLock", testing.checkLock],
  ["checkQueue", testing.checkQueue],
  ["checkRateLimiter", testing.checkRateLimiter],
  ["checkSemaphore", testing.checkSemaphore],
] as const;

const WRONG_ARGUMENTS_OF_TESTS: readonly Row[] = [
  ["runTest(promise)", () => testing.runTest(promise()), /^Cannot start a promise with runTest: its work has begun/],
  ["runTest(5)", () => testing.runTest(bad(5)), /^Cannot start 5 with runTest: that is no job/],
  ["runTest(test, 5)", () => testing.runTest(never, bad(5)), /^Cannot use 5 as the options of runTest; pass an object/],
  ["runTest(coroutine, 5)", () => testing.runTest(lazy(), bad(5)), /^Cannot use 5 as the options of runTest/],
  [
    "runTest(test, { clock: {} })",
    () => testing.runTest(never, { clock: bad({}) }),
    /^Cannot run a test: 'clock' is an object \(Object\); pass a MockClock$/,
  ],
  [
    "runTest(test, { expectWarnings: 'X' })",
    () => testing.runTest(never, { expectWarnings: bad("X") }),
    /^Cannot run a test: 'expectWarnings' is "X"; pass an array of codes/,
  ],
  [
    "runTest(test, { timeout: 5 })",
    () => testing.runTest(never, bad({ timeout: 5 })),
    /^Cannot run a test: runTest has no option "timeout"; it has timeoutMs, .*, seed, onEvent$/,
  ],
  [
    "runTest(test, { timeoutMs: 0 })",
    () => testing.runTest(never, { timeoutMs: 0 }),
    /'timeoutMs' is 0; pass a number/,
  ],
  ["runTest(test, { seed: -1 })", () => testing.runTest(never, { seed: -1 }), /'seed' is -1; pass an integer/],
  ["runTest(coroutine, { seed: -1 })", () => testing.runTest(lazy(), { seed: -1 }), /'seed' is -1; pass an integer/],
  [
    "runTest(test, { onEvent: 5 })",
    () => testing.runTest(never, { onEvent: bad(5) }),
    /'onEvent' is 5; pass a function$/,
  ],
  ["exploreSchedules(5)", () => testing.exploreSchedules(bad(5)), /'test' is 5; pass a function that can be called/],
  ["exploreSchedules(test, 5)", () => testing.exploreSchedules(never, bad(5)), /as the options of exploreSchedules/],
  [
    "exploreSchedules(test, { schedules: 0 })",
    () => testing.exploreSchedules(never, { schedules: 0 }),
    /'schedules' is 0; pass an integer >= 1$/,
  ],
  [
    "exploreSchedules(test, { checkDeterminism: 2 })",
    () => testing.exploreSchedules(never, { checkDeterminism: bad(2) }),
    /'checkDeterminism' is 2; pass a boolean$/,
  ],
  [
    "exploreSchedules(test, { count: 5 })",
    () => testing.exploreSchedules(never, bad({ count: 5 })),
    /exploreSchedules has no option "count"/,
  ],
  ["torture(5)", () => testing.torture(bad(5)), /^Cannot torture: the scenario is 5; pass a function/],
  ["torture(scenario, 5)", () => testing.torture(never, bad(5)), /^Cannot use 5 as the options of torture/],
  ["torture(scenario, { point: 5 })", () => testing.torture(never, bad({ point: 5 })), /has no option "point"; it has/],
  [
    "torture(scenario, { mayFail: true })",
    () => testing.torture(never, { mayFail: bad(true) }),
    /'mayFail' is true; pass a function$/,
  ],
  [
    "torture(scenario, { errors: [new Error()] })",
    () => testing.torture(never, { errors: bad([new Error()]) }),
    /'errors' is an array of 1; pass an array of one or more functions/,
  ],
  ["torture(scenario, { only: 3 })", () => testing.torture(never, { only: bad(3) }), /'only' is 3; pass what the mess/],
  [
    "torture({ mayRecover: 5 })",
    () => testing.torture({ setup: never, run: never, mayRecover: bad(5) }),
    /'mayRecover' is 5; pass a boolean$/,
  ],
  ["checkSequentially(5)", () => testing.checkSequentially(bad(5)), /'spec' is 5; pass an object$/],
  [
    "checkSequentially({ ...spec, step: 5 })",
    () => testing.checkSequentially({ ...SPEC, step: bad(5) }),
    /'step' is 5; pass a function$/,
  ],
  [
    "checkSequentially({ ...spec, calls: [] })",
    () => testing.checkSequentially({ ...SPEC, calls: [] }),
    /'calls' is an array of 0; pass an array of calls$/,
  ],
  [
    "checkSequentially(spec, { actors: 0 })",
    () => testing.checkSequentially(SPEC, { actors: 0 }),
    /'actors' is 0; pass an integer >= 1$/,
  ],
  ["checkSequentially(spec, 5)", () => testing.checkSequentially(SPEC, bad(5)), /as the options of checkSequentially/],
  ...KITS.flatMap(([name, check]): Row[] => [
    [`${name}(5)`, () => check(bad(5)), /^Cannot check a [a-z ]+: 'create' is 5; pass a function that makes a new/],
    [`${name}(create, 5)`, () => check(never, bad(5)), new RegExp(`^Cannot use 5 as the options of ${name}; pass`)],
    [`${name}(create, { size: 5 })`, () => check(never, bad({ size: 5 })), new RegExp(`${name} has no option "size"`)],
  ]),
  [
    "checkQueue(create, { order: 'fifo' })",
    () => testing.checkQueue(never, { order: bad("fifo") }),
    /'order' is "fifo"; pass one of oldest, newest, smallest$/,
  ],
  ["assertCheckpoints(5)", () => testing.assertCheckpoints(bad(5)), /^Cannot start 5 with assertCheckpoints/],
  ["assertNoCheckpoints(promise)", () => testing.assertNoCheckpoints(promise()), /with assertNoCheckpoints: its work/],
  ["new MockClock(5)", () => new testing.MockClock(bad(5)), /^Cannot use 5 as the options of MockClock; pass/],
  ["new MockClock({ startMs: NaN })", () => new testing.MockClock({ startMs: NaN }), /'startMs' is NaN; pass/],
  [
    "new MockClock({ autojump: 0 })",
    () => new testing.MockClock({ autojump: bad(0) }),
    /'autojump' is 0; pass a boolean$/,
  ],
  ["new Sequencer().at(-1)", () => new testing.Sequencer().at(-1), /^Cannot wait for turn -1 of a sequencer/],
];

describe("A wrong argument of a test", () => {
  refusesInsideOfRuns("MW_ERR_INVALID_ARGUMENT", WRONG_ARGUMENTS_OF_TESTS);

  it("is looked for by every function and class of meanwhile/testing", () => {
    const missing = Object.entries(testing)
      .filter(([name, value]) => typeof value === "function" && !/Error$|^TestEvent$|^waitUntilIdle$/.test(name))
      .filter(([name]) => !WRONG_ARGUMENTS_OF_TESTS.some(([call]) => call.replace(/^new /, "").startsWith(`${name}(`)));
    assert.deepEqual(missing, []);
  });
});

describe("A list with nothing in it", () => {
  refusesInsideOfRuns("MW_ERR_EMPTY", [
    ["race([])", () => race([]), /given to race is empty; pass at least one$/],
    ["any([])", () => any([]), /given to any is empty; pass at least one$/],
    ["wait([])", () => wait([]), /given to wait is empty; pass at least one$/],
    ["chain()", () => chain(), /pass at least one time in milliseconds$/],
  ]);
});

describe("A promise that is running where a job is needed", () => {
  const begun =
    /a promise.*(its work has begun already; pass a function, like \(\) => fetchData\(\)|; pass a function)/;
  refusesInsideOfRuns("MW_ERR_INVALID_ARGUMENT", [
    ["run(promise)", () => run(promise()), begun],
    ["createTask(promise)", () => createTask(promise()), begun],
    ["group.createTask(promise)", () => inGroup((group) => group.createTask(promise())), begun],
    ["group.start(promise)", () => inGroup((group) => group.start(promise())), begun],
    ["retry(promise)", () => retry(promise()), begun],
    ["retrying(promise)", () => retrying(promise()), begun],
    ["taskGroup(promise)", () => taskGroup(promise()), begun],
    ["timeout(5, promise)", () => timeout(5, promise()), begun],
    ["timeoutAt(5, promise)", () => timeoutAt(5, promise()), begun],
    ["moveOnAfter(5, promise)", () => moveOnAfter(5, promise()), begun],
    ["shield(promise)", () => shield(promise()), begun],
    ["cancelScope(promise)", () => cancelScope(promise()), begun],
    ["coroutine(promise)", () => coroutine(promise()), /pass an async function, not the result of calling it$/],
  ]);

  it("is refused with bad times and options beside it as well", () =>
    run(async () => {
      await refused(() => timeout(NaN, promise()), "MW_ERR_INVALID_ARGUMENT", /'ms' is NaN/);
      await refused(() => timeout(5, promise(), bad(5)), "MW_ERR_INVALID_ARGUMENT", /^Cannot run a promise/);
      await refused(() => shield(promise(), { timeoutMs: NaN }), "MW_ERR_INVALID_ARGUMENT", /^Cannot run a promise/);
    }));
});

describe("A coroutine or a task where a function is needed", () => {
  const load =
    /^Cannot run the coroutine "load" in a scope; pass a function that starts the work, like \(\) => fetchData\(\)$/;
  refusesInsideOfRuns("MW_ERR_INVALID_ARGUMENT", [
    ["taskGroup(coroutine)", () => taskGroup(coro()), load],
    ["timeout(5, coroutine)", () => timeout(5, coro()), load],
    ["timeoutAt(5, coroutine)", () => timeoutAt(5, coro()), load],
    ["moveOnAfter(5, coroutine)", () => moveOnAfter(5, coro()), load],
    ["shield(coroutine)", () => shield(coro()), load],
    ["cancelScope(coroutine)", () => cancelScope(coro()), load],
    [
      "group.start(coroutine)",
      () => inGroup((group) => group.start(coro())),
      /"load" with group\.start; pass a function/,
    ],
    ["coroutine(coroutine)", () => coroutine(coro()), /pass an async function, not the result of calling it$/],
    [
      "createTask(task)",
      () => createTask(bad(currentTask())),
      /^Cannot start the task ".*" with createTask: its work has begun/,
    ],
    ["timeout(5, task)", () => timeout(5, bad(currentTask())), /^Cannot run the task ".*" in a scope; pass a function/],
  ]);
});

describe("A generator function where its code is to run", () => {
  async function* lines(): AsyncGenerator<string> {
    never();
    yield "line";
  }
  function* numbers(): Generator<number> {
    never();
    yield 1;
  }
  type Given = () => never;
  const rows: ReadonlyArray<readonly [call: string, misuse: (given: Given) => unknown]> = [
    ["run(function*)", (given) => run(given)],
    ["createTask(function*)", (given) => createTask(given)],
    ["cancellable(function*)", (given) => cancellable(given)],
    ["taskGroup(function*)", (given) => taskGroup(given)],
    ["group.createTask(function*)", (given) => inGroup((group) => group.createTask(given))],
    ["group.start(function*)", (given) => inGroup((group) => group.start(given))],
    ["gather([function*])", (given) => gather([coro(), given, promise()])],
    ["gather([function*], { concurrency: 1 })", (given) => gather(new Set([given]).values(), { concurrency: 1 })],
    ["gatherSettled([function*])", (given) => gatherSettled([given])],
    ["race([function*])", (given) => race([coro(), given, promise()])],
    ["any([function*])", (given) => any([given])],
    ["asCompleted([function*])", (given) => asCompleted([coro(), given, promise()])],
    ["map(items, function*)", (given) => map([1], given, { concurrency: 1 })],
    ["forEach(items, function*)", (given) => forEach([1], given, { concurrency: 1 })],
    ["retry(function*)", (given) => retry(given)],
    ["retrying(function*)", (given) => retrying(given)],
    ["coroutine(function*)", (given) => coroutine(given)],
    ["timeout(5, function*)", (given) => timeout(5, given)],
    ["timeoutAt(5, function*)", (given) => timeoutAt(5, given)],
    ["moveOnAfter(5, function*)", (given) => moveOnAfter(5, given)],
    ["shield(function*)", (given) => shield(given)],
    ["cancelScope(function*)", (given) => cancelScope(given)],
  ];
  for (const [call, misuse] of rows) {
    it(call, () =>
      run(async () => {
        await refused(
          () => misuse(bad(lines)),
          "MW_ERR_GENERATOR",
          /"lines".*; iterate inside, .*for await \(const item of lines\(\)\)/,
        );
        await refused(
          () => misuse(bad(numbers)),
          "MW_ERR_GENERATOR",
          /"numbers".*; iterate inside, .* \{ for \(const item of numbers\(\)\)/,
        );
        await refused(() => misuse(bad(lines.bind(null))), "MW_ERR_GENERATOR", /"bound lines"/);
      }),
    );
  }

  it("has a name in the text also if it has none", () =>
    run(() => refused(() => createTask(bad(function* () {})), "MW_ERR_GENERATOR", /for \(const item of items\(\)\)/)));

  it("is welcome as a source, and its code runs when items are asked for", () =>
    run(async () => {
      function* source(): Generator<number> {
        yield* [1, 2];
      }
      assert.deepEqual(await Array.fromAsync(map(source(), (item) => item, { concurrency: 1 })), [1, 2]);
    }));
});

describe("Outside of a run", () => {
  const inside = /call \w+\(\) inside run\(main\), for example await run\(async \(\) => \{ \.\.\. \}\)$/;
  const rows: readonly Row[] = [
    ["createTask(job)", () => createTask(never), inside],
    ["createTask(coroutine)", () => createTask(lazy()), inside],
    ["currentTask()", () => currentTask(), inside],
    ["currentScope()", () => currentScope(), inside],
    ["allTasks()", () => core.allTasks(), inside],
    ["atRunExit(callback)", () => atRunExit(never), inside],
  ];
  for (const [call, misuse, message] of rows) it(call, () => refused(misuse, "MW_ERR_OUTSIDE_RUN", message));
});

describe("A task that waits for itself", () => {
  const itself =
    /it is the task that (awaits|waits), so it would wait for ever; (await it in another task|leave it out)/;
  refusesInsideOfRuns("MW_ERR_AWAIT_SELF", [
    ["await currentTask()", async () => void (await currentTask()), itself],
    ["currentTask().then()", () => currentTask().then(), itself],
    ["wait([currentTask()])", () => wait([currentTask()], { timeoutMs: 1 }), itself],
    ["gather([currentTask()])", () => gather([coro(), currentTask(), promise()]), itself],
    ["race([currentTask()])", () => race([currentTask(), coro()]), itself],
    ["asCompleted([currentTask()])", () => asCompleted([currentTask(), coro()]), itself],
  ]);
});

describe("A group that has ended", () => {
  async function ended(): Promise<TaskGroup> {
    let kept: TaskGroup | undefined;
    await taskGroup((group) => {
      kept = group;
    });
    return kept ?? assert.fail();
  }
  const inside = /^Cannot start a task in a group that has ended; start it inside the block of taskGroup$/;
  refusesInsideOfRuns("MW_ERR_GROUP_CLOSED", [
    ["group.createTask(job)", async () => void (await ended()).createTask(never), inside],
    ["group.createTask(coroutine)", async () => void (await ended()).createTask(lazy()), inside],
    ["group.start(job)", async () => (await ended()).start(never), inside],
  ]);
  refusesInsideOfRuns("MW_ERR_NOT_STARTED", [
    [
      "group.start(job) that never calls started",
      () => inGroup((group) => group.start(() => {})),
      /call it when the job is/,
    ],
  ]);

  it("can be cancelled, which does nothing", () => run(async () => (await ended()).cancel()));
});

describe("What is not held", () => {
  const first = /take it first, with using held = await condition\.acquire\(\)$/;
  refusesInsideOfRuns("MW_ERR_NOT_HELD", [
    ["semaphore.release() of a BoundedSemaphore", () => new BoundedSemaphore(1).release(), /give each one back once/],
    ["condition.wait()", () => new Condition().wait(), first],
    ["condition.waitFor()", () => new Condition().waitFor(() => true), first],
    ["condition.notify()", () => new Condition().notify(), first],
    ["condition.notifyAll()", () => new Condition().notifyAll(), first],
  ]);
  refusesInsideOfRuns("MW_ERR_NOTHING_UNFINISHED", [
    ["queue.taskDone()", () => new Queue({ maxSize: 1 }).taskDone(), /call it once for each$/],
  ]);
});

describe("Two copies of meanwhile", () => {
  it("are refused when the second one is loaded", () =>
    refused(
      () => refuseSecondCopy("file:///elsewhere/meanwhile/dist/lowlevel.js"),
      "MW_ERR_TWO_COPIES",
      /^Cannot load meanwhile twice: .* and file:\/\/\/elsewhere\/.*; install one version, as a dependency of the program$/,
    ));
});

describe("A scope that is used after it was left", () => {
  async function left(): Promise<CancelScope> {
    let kept: CancelScope | undefined;
    await timeout(1_000, (scope) => {
      kept = scope;
    });
    return kept ?? assert.fail();
  }

  it("is not cancelled any more, by hand or by its deadline", () =>
    run(async () => {
      const scope = await left();
      scope.cancel();
      scope.deadline = -1;
      assert.equal(scope.cancelled, false);
      await sleep(0);
    }));

  it("still refuses what is no deadline", () =>
    run(async () => {
      const scope = await left();
      await refused(() => (scope.deadline = NaN), "MW_ERR_INVALID_ARGUMENT", /pass a time on the scale of now/);
    }));
});

describe("A scope that is left while one inside it is open", () => {
  const debug = { debug: true };
  const awaiting =
    /; write await before each timeout, taskGroup, gather and the like, so that the inner one ends first$/;

  /** Runs it in debug mode, and gives the text of the warning that comes. */
  async function warned(main: (keep: (begun: Promise<unknown>) => void) => Promise<unknown>): Promise<string> {
    await using warnings = expectWarning("MW_WARN_SCOPE_LEFT_OPEN");
    const begun: Promise<unknown>[] = [];
    await run(async () => {
      using _ = unhurried();
      await main((one) => void begun.push(one));
      await Promise.allSettled(begun);
    }, debug);
    const { message } = await warnings.first();
    assert.equal(warnings.seen.length, 1);
    assert.match(message, awaiting);
    return message;
  }

  it("is reported in debug mode, with what is open and what that waits for", async () => {
    const message = await warned((keep) =>
      timeout(1_000, async () => {
        keep(timeout(8, sleepForever));
      }),
    );
    assert.match(
      message,
      /^A scope of task ".+" was left while inside it a timeout was still open, which waits for sleepForever;/,
    );
  });

  it("is reported for whatever makes a scope", async () => {
    const rows: ReadonlyArray<readonly [begin: () => Promise<unknown>, what: RegExp]> = [
      [() => moveOnAfter(8, sleepForever), /a timeout was still open, which waits for sleepForever/],
      [() => shield(() => sleep(8)), /a shield was still open, which waits for sleep \(\d ms left\)/],
      [() => cancelScope(() => sleep(8)), /a scope was still open, which waits for sleep/],
      [() => taskGroup(() => sleep(8)), /a scope was still open, which waits for sleep/],
      [() => gather([() => sleep(8), () => sleep(8)]), /a scope .* waits for 2 of its tasks \(gather\)/],
      [
        () => timeout(1_000, () => shield(() => sleep(8))),
        /a timeout and a shield was still open, which waits for sleep/,
      ],
    ];
    for (const [begin, what] of rows) {
      assert.match(await warned((keep) => cancelScope(async () => keep(begin()))), what);
    }
  });

  it("is reported when it is left with an error, as by Promise.all of two timeouts", async () => {
    const message = await warned(async (keep) => {
      const failing = cancelScope(async () => {
        const slow = timeout(8, sleepForever);
        keep(slow);
        await Promise.all([timeout(1_000, () => Promise.reject(new Error("on purpose"))), slow]);
      });
      assert.equal((await errorOf(failing)).message, "on purpose");
    });
    assert.match(message, /a timeout was still open/);
  });

  it("is reported for a task that ends", async () => {
    assert.match(
      await warned(async (keep) => await createTask(() => keep(timeout(8, sleepForever)))),
      /inside it a timeout/,
    );
  });

  it("is reported for the body of a group", async () => {
    assert.match(await warned((keep) => taskGroup(() => keep(timeout(8, sleepForever)))), /inside it a timeout/);
  });

  it("hands what is open to the scope around, which can end it", () =>
    run(async () => {
      const begun: Promise<unknown>[] = [];
      const ended = await cancelScope(async (around) => {
        await cancelScope(async () => void begun.push(shieldless()));
        around.cancel("around");
        const error = await errorOf(begun[0] ?? assert.fail());
        assert.ok(isCancelled(error));
        return "ended";
      });
      assert.equal(ended, "ended");
    }));
  const shieldless = (): Promise<unknown> => timeout(60_000, sleepForever);

  it("is not reported without debug mode", () =>
    run(
      async () => {
        const begun: Promise<unknown>[] = [];
        await cancelScope(async () => void begun.push(moveOnAfter(1, sleepForever)));
        await Promise.all(begun);
      },
      { debug: false },
    ));

  it("is not reported where nothing is wrong", () =>
    run(async () => {
      await timeout(1_000, () => cancelScope(() => gather([() => sleep(1), () => shield(() => sleep(1))])));
      // A wait that lost a race, without a scope of its own.
      await timeout(1_000, () => Promise.race([sleep(5), sleep(1)]));
      // An iterator looks after its jobs itself.
      const results = map([1, 2, 3], () => sleep(1), { concurrency: 2 })[Symbol.asyncIterator]();
      await timeout(1_000, () => results.next());
      // A task that was created in the scope does not belong to it.
      const created: Task<void>[] = [];
      await timeout(1_000, async () => void created.push(createTask(() => sleep(1))));
      await Promise.all(created);
    }, debug));
});

describe("An async generator whose items are asked for in different scopes", () => {
  async function* items(log: string[]): AsyncGenerator<number> {
    try {
      for (let item = 1; ; item++) {
        await sleep(item === 1 ? 0 : 60_000);
        yield item;
      }
    } finally {
      log.push("left");
    }
  }

  it("waits in the scope that asked for the item", () =>
    run(async () => {
      const log: string[] = [];
      const iterator = items(log);
      assert.equal((await timeout(60_000, () => iterator.next())).value, 1);
      // The scope of the first item has been left; the second one belongs to this.
      assert.equal(await moveOnAfter(2, () => iterator.next()), undefined);
      assert.deepEqual(log, ["left"]);
    }));

  it("waits in the scope around, if the one that asked was left without waiting for the item", () =>
    run(async () => {
      const log: string[] = [];
      const iterator = items(log);
      await iterator.next();
      await cancelScope(async (around) => {
        let asked: Promise<unknown> = Promise.resolve();
        let inner: CancelScope | undefined;
        await cancelScope(async (scope) => {
          inner = scope;
          asked = iterator.next();
        });
        inner?.cancel(); // it was left: nothing in it is left to cancel
        await sleep(0);
        assert.deepEqual(log, []);
        around.cancel();
        assert.ok(isCancelled(await errorOf(asked)));
        assert.deepEqual(log, ["left"]);
      });
    }));

  it("begins waits in the scope around, once the one that asked was left", () =>
    run(async () => {
      const gate = Promise.withResolvers<void>();
      let scopeInside: CancelScope | undefined;
      async function* gated(): AsyncGenerator<number> {
        await gate.promise;
        scopeInside = currentScope();
        yield 1;
      }
      const iterator = gated();
      let asked: Promise<unknown> = Promise.resolve();
      await cancelScope(async () => {
        asked = iterator.next();
      });
      const around = currentScope();
      gate.resolve();
      await asked;
      assert.equal(scopeInside, around);
    }));
});
