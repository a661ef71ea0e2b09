// checkSequentially: what calls return must be explained by some order of them.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancelScope, checkpoint, Event, Lock, sleep } from "meanwhile";
import { checkLock, checkSequentially, type SequentialSpec, type TestError } from "meanwhile/testing";

import { linearize, type SeenCall } from "../../src/testing/linearize.ts";
import { errorOf } from "../util/outcomes.ts";

type Seeded = TestError & { readonly seed: number };

/** A counter that returns what it has counted; it gives way in the middle of a call unless a lock holds others off. */
class Counter {
  readonly #lock: Lock | null;
  #count = 0;

  constructor(lock: Lock | null) {
    this.#lock = lock;
  }

  async increment(): Promise<number> {
    using held = await this.#lock?.acquire();
    const before = this.#count;
    await checkpoint();
    this.#count = before + 1;
    return held === undefined ? this.#count : before + 1;
  }
}

function counterSpec(makeLock: () => Lock | null): SequentialSpec<Counter, number, "increment"> {
  return {
    create: () => new Counter(makeLock()),
    calls: ["increment"],
    perform: (counter) => counter.increment(),
    initial: 0,
    step: (count) => ({ state: count + 1, result: count + 1 }),
  };
}

/** A flag that a call turns over, and has turned over although it throws. */
function flagSpec(
  changes: "before it waits" | "after it has waited",
): SequentialSpec<{ isSet: boolean }, boolean, "turn"> {
  return {
    create: () => ({ isSet: false }),
    calls: ["turn"],
    perform: async (flag) => {
      if (changes === "after it has waited") await sleep(0);
      const was = flag.isSet;
      flag.isSet = !was;
      if (changes === "before it waits") await sleep(0);
      return was;
    },
    initial: false,
    step: (isSet) => ({ state: !isSet, result: isSet }),
  };
}

describe("checkSequentially", () => {
  it("accepts what happens one call after the other", async () => {
    await checkSequentially(
      counterSpec(() => new Lock()),
      { schedules: 200 },
    );
  });

  it("finds an update that is lost, and lists the calls", async () => {
    const error = (await errorOf(checkSequentially(counterSpec(() => null)))) as Seeded;
    assert.equal(error.code, "MW_ERR_NOT_SEQUENTIAL");
    assert.match(error.message, /\n {2}actor \d, from \d+: increment returned \d at \d+/);
    const again = (await errorOf(
      checkSequentially(
        counterSpec(() => null),
        { schedules: 1, seed: error.seed },
      ),
    )) as Seeded;
    assert.equal(again.message, error.message);
  });

  it("finds a call that was cancelled and had an effect all the same", async () => {
    await checkSequentially(flagSpec("after it has waited"), { schedules: 200 });
    const error = await errorOf(checkSequentially(flagSpec("before it waits")));
    assert.equal(error.code, "MW_ERR_NOT_SEQUENTIAL");
    assert.match(error.message, /turn was cancelled/);
  });

  it("finds a call that waits though it need not", async () => {
    const spec: SequentialSpec<{ calls: number; never: Event }, number, "call"> = {
      create: () => ({ calls: 0, never: new Event() }),
      calls: ["call"],
      perform: async (subject) => {
        subject.calls += 1;
        if (subject.calls === 4) await subject.never.wait();
      },
      initial: 0,
      step: (count) => ({ state: count + 1, result: undefined }),
    };
    const error = await errorOf(checkSequentially(spec));
    assert.equal(error.code, "MW_ERR_NOT_SEQUENTIAL");
    assert.match(error.message, /call waits/);
  });

  it("throws what a call throws", async () => {
    const failure = new RangeError("on purpose");
    const spec: SequentialSpec<null, number, "call"> = {
      create: () => null,
      calls: ["call"],
      perform: () => Promise.reject(failure),
      initial: 0,
      step: (state) => ({ state, result: undefined }),
    };
    assert.equal(await errorOf(checkSequentially(spec, { schedules: 1 })), failure);
  });

  it("makes as many calls as it is told", async () => {
    const seen: number[] = [];
    const spec: SequentialSpec<null, number, "call"> = {
      create: () => null,
      calls: ["call"],
      perform: (_, __, actor) => void seen.push(actor),
      initial: 0,
      step: (state) => ({ state, result: undefined }),
    };
    await checkSequentially(spec, { actors: 2, callsEach: 4, schedules: 1 });
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      [0, 0, 0, 0, 1, 1, 1, 1],
    );
  });

  it("refuses numbers that are none", async () => {
    const code = "MW_ERR_INVALID_ARGUMENT";
    const spec = counterSpec(() => null);
    await assert.rejects(checkSequentially(spec, { actors: 0 }), { code, message: /'actors'/ });
    await assert.rejects(checkSequentially(spec, { callsEach: 1.5 }), { code, message: /'callsEach'/ });
    await assert.rejects(checkSequentially(spec, { schedules: 0 }), { code, message: /'schedules'/ });
  });

  it("says which call it cancels, at which step", async () => {
    const reasons = new Set<string>();
    const wait = async (event: Event): Promise<void> => {
      try {
        await event.wait();
      } catch (error) {
        reasons.add(String(error));
        throw error;
      }
    };
    const spec: SequentialSpec<Event, boolean, "set" | "wait"> = {
      create: () => new Event(),
      calls: ["set", "wait", "wait"],
      perform: (event, call) => (call === "set" ? event.set() : wait(event)),
      initial: false,
      step: (isSet, call) => (call === "wait" && !isSet ? null : { state: true, result: undefined }),
    };
    await checkSequentially(spec, { schedules: 50 });
    const cancels =
      /Cancelled: checkSequentially (?:cancels the wait of actor [0-2] at step \d+, (?:between two calls|(?:before|after) the (?:set|wait) of actor [0-2])|ends what waits, as nothing moves any more)$/;
    for (const reason of reasons) assert.match(reason, cancels);
    assert.ok(reasons.size > 2);
  });

  it("fails at once for a call that a cancellation does not end", async () => {
    const spec: SequentialSpec<null, null, "wait"> = {
      create: () => null,
      calls: ["wait"],
      perform: () => new Promise(() => {}),
      initial: null,
      step: () => null,
    };
    const error = await errorOf(checkSequentially(spec, { timeoutMs: 5_000 }));
    assert.equal(error.code, "MW_ERR_NOT_SEQUENTIAL");
    assert.match(error.message, /^Cannot end the wait of actor \d: it goes on waiting when its scope is cancelled; /);
  });
});

describe("An order of calls", () => {
  const register = {
    initial: 0,
    step: (state: number, call: number | "read") =>
      call === "read" ? { state, result: state } : { state: call, result: undefined },
  };

  function seen(
    ...calls: Array<[call: number | "read", start: number, end: number, result?: number]>
  ): SeenCall<number | "read">[] {
    return calls.map(([call, start, end, result], actor) => ({ actor, call, start, end, result }));
  }

  it("is found where calls overlap", () => {
    const calls = seen([1, 0, 5], ["read", 1, 2, 0], ["read", 3, 4, 1]);
    assert.deepEqual(
      linearize(calls, register)?.map(({ start }) => start),
      [1, 0, 3],
    );
  });

  it("keeps calls that ended before others began in front of them", () => {
    assert.equal(linearize(seen([1, 0, 1], ["read", 2, 3, 0]), register), null);
    assert.notEqual(linearize(seen([1, 0, 3], ["read", 2, 4, 0]), register), null);
  });

  it("leaves in the end nobody waiting who need not", () => {
    const wait = {
      initial: false,
      step: (isSet: boolean, call: "set" | "wait") => {
        if (call === "set") return { state: true, result: undefined };
        return isSet ? { state: true, result: undefined } : null;
      },
    };
    const waits: SeenCall<"set" | "wait"> = { actor: 0, call: "wait", start: 0, end: Infinity };
    assert.notEqual(linearize([waits], wait), null);
    assert.equal(linearize([waits, { actor: 1, call: "set", start: 1, end: 2, result: undefined }], wait), null);
  });
});

describe("A conformance kit", () => {
  it("tries each rule under as many schedules as it is told", async () => {
    const { rules, runs } = await checkLock(() => new Lock(), { schedules: 3 });
    assert.equal(runs, 3 * rules.length);
  });

  it("runs only the seed of the environment if there is one", async () => {
    process.env["MEANWHILE_SEED"] = "5";
    try {
      const { rules, runs } = await checkLock(() => new Lock());
      assert.equal(runs, rules.length);
    } finally {
      delete process.env["MEANWHILE_SEED"];
    }
  });

  it("ends with the scope around it", async () => {
    let made = 0;
    await cancelScope(async (scope) => {
      await checkLock(() => {
        made += 1;
        if (made === 10) scope.cancel();
        return new Lock();
      });
      assert.fail("was cancelled");
    });
    assert.ok(made < 20);
  });

  it("refuses bad options", async () => {
    const code = "MW_ERR_INVALID_ARGUMENT";
    await assert.rejects(
      checkLock(() => new Lock(), { schedules: 0 }),
      { code, message: /check a lock: 'schedules'/ },
    );
    await assert.rejects(
      checkLock(() => new Lock(), { seed: 0.5 }),
      { code, message: /check a lock: 'seed'/ },
    );
    await assert.rejects(
      checkLock(() => new Lock(), { timeoutMs: 0 }),
      { code, message: /check a lock: 'timeoutMs'/ },
    );
  });
});
