// What depth costs: an async function that awaits one that awaits one, 100 deep; the deepest gives way once.

import { AsyncLocalStorage } from "node:async_hooks";

import type { Effect as Effects } from "effect";

import { check, microsecondsEach } from "../harness/measuring.ts";
import type { Measured, Row } from "../harness/row.ts";

const DEPTH = 100;
const TASKS = 100;
const CALLS = 100;
const DONE = Promise.resolve();

async function level(depth: number): Promise<number> {
  if (depth < DEPTH) return (await level(depth + 1)) + 1;
  await DONE;
  return 1;
}

/** One of the tasks: calls again and again, and checks that each call went all the way down. */
async function callAgainAndAgain(call: (depth: number) => PromiseLike<number>): Promise<void> {
  let levels = 0;
  for (let calls = 0; calls < CALLS; calls++) levels += await call(1);
  check("levels", levels, DEPTH * CALLS);
}

const each = (run: () => unknown): Promise<Measured> => microsecondsEach(TASKS * CALLS, run);

async function native(): Promise<Measured> {
  return each(() => Promise.all(Array.from({ length: TASKS }, () => callAgainAndAgain(level))));
}

async function nativeWithContext(): Promise<Measured> {
  const storage = new AsyncLocalStorage<object>();
  const start = (): Promise<void> => storage.run({}, callAgainAndAgain, level);
  return each(() => Promise.all(Array.from({ length: TASKS }, start)));
}

// What a lazy call is at least: an object that calls when it is awaited.
class Lazy<T> implements PromiseLike<T> {
  readonly #call: () => Promise<T>;

  constructor(call: () => Promise<T>) {
    this.#call = call;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- to be a thenable is its purpose
  then<A, B>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#call().then(onFulfilled, onRejected);
  }
}

async function nativeLazy(): Promise<Measured> {
  const storage = new AsyncLocalStorage<object>();
  const lazyLevel = (depth: number): PromiseLike<number> =>
    new Lazy(async () => {
      if (depth < DEPTH) return (await lazyLevel(depth + 1)) + 1;
      await DONE;
      return 1;
    });
  const start = (): Promise<void> => storage.run({}, callAgainAndAgain, lazyLevel);
  return each(() => Promise.all(Array.from({ length: TASKS }, start)));
}

async function ours(): Promise<Measured> {
  const { gather, run } = await import("meanwhile");
  return each(() => run(() => gather(Array.from({ length: TASKS }, () => () => callAgainAndAgain(level)))));
}

async function oursCoroutines(): Promise<Measured> {
  const { coroutine, gather, run } = await import("meanwhile");
  const lazyLevel = coroutine(async (depth: number): Promise<number> => {
    if (depth < DEPTH) return (await lazyLevel(depth + 1)) + 1;
    await DONE;
    return 1;
  });
  return each(() => run(() => gather(Array.from({ length: TASKS }, () => () => callAgainAndAgain(lazyLevel)))));
}

async function effectGenerators(): Promise<Measured> {
  const { Effect } = await import("effect");
  const down: (depth: number) => Effects.Effect<number> = Effect.fnUntraced(function* (depth: number) {
    if (depth < DEPTH) return (yield* down(depth + 1)) + 1;
    yield* Effect.yieldNow;
    return 1;
  });
  return effect(down);
}

async function effectFlatMap(): Promise<Measured> {
  const { Effect } = await import("effect");
  const bottom = Effect.as(Effect.yieldNow, 1);
  const down = (depth: number): Effects.Effect<number> =>
    depth < DEPTH
      ? Effect.flatMap(
          Effect.suspend(() => down(depth + 1)),
          (levels) => Effect.succeed(levels + 1),
        )
      : bottom;
  return effect(down);
}

async function effect(call: (depth: number) => Effects.Effect<number>): Promise<Measured> {
  const { Effect } = await import("effect");
  const job = Effect.gen(function* () {
    let levels = 0;
    for (let calls = 0; calls < CALLS; calls++) levels += yield* call(1);
    check("levels", levels, DEPTH * CALLS);
  });
  const program = Effect.all(
    Array.from({ length: TASKS }, () => job),
    { concurrency: "unbounded", discard: true },
  );
  return each(() => Effect.runPromise(program));
}

export const row: Row = {
  name: "chain",
  title: "a chain of 100 async functions, each awaiting the next",
  about:
    "Microseconds for a whole call, all 100 levels down and up again; the deepest gives way once, each level adds one to the result, which is checked. 100 tasks at a time call 100 times each, " +
    "so that a peer that gives way by a turn of its scheduler (Effect `yieldNow`, asyncio `sleep(0)`) shares that turn among 100 calls. " +
    "Plain functions are what one writes with meanwhile; they cost what they cost in any context (`native + context`). With `coroutine` each call is lazy, " +
    "and is reported with its place if it is forgotten; `native, lazy` is the least that a lazy call must be, a thenable that calls when it is awaited, in the same context. Effect is measured with generators and with `flatMap`.",
  figures: [{ key: "wall", label: "µs per call", better: "less" }],
  peers: [
    { kind: "node", name: "native", packages: [], measure: native },
    { kind: "node", name: "native + context", packages: [], measure: nativeWithContext },
    { kind: "node", name: "native, lazy", packages: [], measure: nativeLazy },
    { kind: "node", name: "meanwhile", ours: true, packages: ["meanwhile"], measure: ours },
    { kind: "node", name: "meanwhile, coroutine()", ours: true, packages: ["meanwhile"], measure: oursCoroutines },
    { kind: "node", name: "Effect, generators", packages: ["effect"], measure: effectGenerators },
    { kind: "node", name: "Effect, flatMap", packages: ["effect"], measure: effectFlatMap },
    { kind: "python", name: "asyncio", script: "chain.py", modules: [] },
    { kind: "python", name: "uvloop", script: "chain.py", args: ["uvloop"], modules: ["uvloop"] },
  ],
  targets: [
    { ours: "meanwhile", beside: "native + context", figure: "wall", compares: "cost", limit: 1.1 },
    { ours: "meanwhile", beside: "Effect, generators", figure: "wall", compares: "speed", limit: 1 },
    { ours: "meanwhile, coroutine()", beside: "native, lazy", figure: "wall", compares: "cost", limit: 1.5 },
  ],
};
