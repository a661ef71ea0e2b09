// What the report counts, on a clock that the test moves.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Frame, type FunctionSite, sitesOf } from "meanwhile/lowlevel";

import { Profile, type Times } from "../../src/report/profile.ts";
import type { Runtime } from "../../src/runtime.ts";

const file = sitesOf({
  id: "/app.ts",
  functions: [
    ["outer", 1, 1],
    ["inner", 2, 1],
  ],
  waits: [
    [3, 1, "await", "inner()"],
    [4, 1, "await", "read()"],
    [5, 1, "for await", "items"],
    [6, 1, "yield", "item"],
  ],
});
const [outer, inner] = file.functions as unknown as readonly [FunctionSite, FunctionSite];

interface FakeFrame {
  readonly site: FunctionSite;
  outer: FakeFrame | null;
  at: number;
}

/** The order of the hooks, and nothing else of the runtime. */
function fakeRuntime(): Runtime {
  let current: FakeFrame | null = null;
  const enter = (site: FunctionSite): FakeFrame => (current = { site, outer: current, at: -1 });
  const leave = (frame: FakeFrame): void => {
    current = frame.outer;
    frame.outer = null;
  };
  const wait = (frame: FakeFrame, at: number, value: unknown): unknown => {
    frame.at = at;
    leave(frame);
    return value;
  };
  const goOn = <Value>(frame: FakeFrame, value?: Value): Value => {
    frame.outer = current === frame ? null : current;
    current = frame;
    return value as Value;
  };
  const hooks = {
    e: enter,
    x: leave,
    a: wait,
    z: wait,
    r: goOn,
    c: goOn,
    c2: goOn,
    y: goOn,
    s: (value: unknown) => value,
  };
  const called = (frame: FakeFrame, at: number, _: unknown, value: unknown): unknown => wait(frame, at, value);
  return { ...hooks, k: called, it: (_: Frame, __: number, value: unknown) => value } as unknown as Runtime;
}

interface Watched {
  readonly runtime: Runtime;
  readonly passes: (ms: number) => void;
  readonly busy: (site: FunctionSite) => Times | undefined;
  readonly waited: (at: number) => Times | undefined;
}

function watched(): Watched {
  let now = 1_000;
  const profile = new Profile(() => now);
  return {
    runtime: profile.watch(fakeRuntime()),
    passes: (ms) => void (now += ms),
    busy: (site) => profile.functions.get(site),
    waited: (at) => profile.waits.get(file.waits[at] as (typeof file.waits)[number]),
  };
}

describe("a profile", () => {
  it("counts a wait from the await to where the function goes on", () => {
    const { runtime, passes, waited } = watched();
    const frame = runtime.e(outer);
    for (const ms of [10, 30]) {
      runtime.a(frame, 1, null);
      passes(ms);
      runtime.r(frame, null);
      passes(5);
    }
    runtime.x(frame);
    assert.deepEqual(waited(1), { count: 2, totalMs: 40, maxMs: 30 });
  });

  it("ends a wait that throws in catch, or at the end of the function", () => {
    const { runtime, passes, waited } = watched();
    const frame = runtime.e(outer);
    runtime.a(frame, 1, null);
    passes(10);
    runtime.c(frame);
    runtime.a(frame, 1, null);
    passes(20);
    runtime.x(frame);
    assert.deepEqual(waited(1), { count: 2, totalMs: 30, maxMs: 20 });
  });

  it("gives each function the time of its own code alone", () => {
    const { runtime, passes, busy } = watched();
    const caller = runtime.e(outer);
    passes(1);
    const callee = runtime.e(inner, caller);
    passes(20);
    runtime.a(callee, 1, null);
    passes(3);
    runtime.k(caller, 0, null, null);
    passes(500);
    runtime.r(callee, null);
    passes(40);
    runtime.x(callee);
    passes(500);
    runtime.r(caller, null);
    passes(5);
    runtime.x(caller);
    passes(500);
    assert.deepEqual(busy(outer), { count: 1, totalMs: 9, maxMs: 5 });
    assert.deepEqual(busy(inner), { count: 1, totalMs: 60, maxMs: 40 });
  });

  it("counts the waits of for await, and what a generator does between its yields", () => {
    const { runtime, passes, busy, waited } = watched();
    const loop = runtime.e(outer);
    const generator = runtime.e(inner, loop);
    passes(2);
    runtime.z(generator, 3, null);
    const source = {
      [Symbol.asyncIterator]: () => ({
        next(): unknown {
          runtime.y(generator, null);
          passes(7);
          return runtime.z(generator, 3, null);
        },
      }),
    };
    const iterable = runtime.it(loop, 2, source) as AsyncIterable<unknown>;
    const iterator = iterable[Symbol.asyncIterator]();
    for (const ms of [10, 20]) {
      Object.assign(loop, { at: 2, outer: null });
      Promise.resolve(iterator.next()).catch(String);
      passes(ms);
      runtime.c2(loop);
    }
    runtime.x(loop);
    assert.deepEqual(waited(2), { count: 2, totalMs: 30, maxMs: 20 });
    assert.deepEqual(busy(inner), { count: 1, totalMs: 16, maxMs: 7 });
    assert.equal(waited(3), undefined);
  });

  it("holds nobody busy whose wait has no hook where it begins", async () => {
    const { runtime, passes, busy } = watched();
    const frame = runtime.e(outer);
    passes(4);
    await Promise.resolve();
    passes(500);
    runtime.c(frame);
    passes(6);
    runtime.x(frame);
    assert.deepEqual(busy(outer), { count: 1, totalMs: 10, maxMs: 6 });
  });
});
