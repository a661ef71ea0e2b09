// runTest under a seed: another schedule for each seed, the same one for the same seed.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  cancellable,
  checkpoint,
  createTask,
  Event,
  gather,
  Lock,
  moveOnAfter,
  now,
  Queue,
  run,
  sleep,
  sleepForever,
  taskGroup,
  timeout,
} from "meanwhile";
import { MockClock, runTest, type TestError, type TestEvent, waitUntilIdle } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";
import { unhurried } from "../util/unhurried.ts";

const NAMES = ["a", "b", "c", "d"];

/** The order in which tasks that are woken together go on. */
async function wakeOrder(): Promise<string> {
  const open = new Event();
  let order = "";
  await gather([
    ...NAMES.map((name) => async () => {
      await open.wait();
      order += name;
    }),
    async () => open.set(),
  ]);
  return order;
}

/** A bit of everything that waits. */
async function program(): Promise<string> {
  const lock = new Lock();
  const queue = new Queue<number>({ maxSize: 1 });
  const seen: string[] = [];
  await taskGroup(async (group) => {
    for (const name of NAMES) {
      group.createTask(async () => {
        using held = await lock.acquire();
        await checkpoint();
        seen.push(`${name}${typeof held}`);
        await sleep(1);
      });
    }
    group.createTask(async () => {
      for (let i = 0; i < 3; i++) await queue.put(i);
    });
    for (let i = 0; i < 3; i++) seen.push(String(await queue.get()));
    await moveOnAfter(2, () => sleepForever());
    await timeout(5, () => sleep(1));
  });
  return seen.join();
}

async function eventsOf(seed: number | undefined, test: () => Promise<unknown> = program): Promise<string[]> {
  const events: string[] = [];
  await runTest(test, { seed, onEvent: (event) => events.push(String(event)) });
  return events;
}

const SEEDS = Array.from({ length: 30 }, (_, i) => i);

describe("runTest under a seed", () => {
  it("wakes in every order, and without a seed in the order of waiting", async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 300; seed++) orders.add(await runTest(wakeOrder, { seed }));
    assert.equal(orders.size, 24);
    assert.equal(await runTest(wakeOrder), "abcd");
  });

  it("starts tasks in every order", async () => {
    const startOrder = async (): Promise<string> => {
      let order = "";
      await taskGroup((group) => {
        for (const name of ["a", "b", "c"]) group.createTask(async () => (order += name));
      });
      return order;
    };
    const orders = new Set<string>();
    for (let seed = 0; seed < 100; seed++) orders.add(await runTest(startOrder, { seed }));
    assert.equal(orders.size, 6);
  });

  it("lets checkpoints give way or not", async () => {
    const gaveWay = async (): Promise<boolean> => {
      let turned = false;
      setImmediate(() => (turned = true));
      await checkpoint();
      const gave = turned;
      await cancellable(new Promise((resolve) => setImmediate(resolve)));
      return gave;
    };
    const outcomes = new Set<boolean>();
    for (const seed of SEEDS) outcomes.add(await runTest(gaveWay, { seed }));
    assert.equal(outcomes.size, 2);
  });

  it("repeats everything for the same seed", async () => {
    for (const seed of SEEDS) assert.deepEqual(await eventsOf(seed), await eventsOf(seed));
  });

  it("differs between seeds", async () => {
    const logs = new Set<string>();
    for (const seed of SEEDS) logs.add((await eventsOf(seed)).join("\n"));
    assert.equal(logs.size, SEEDS.length);
  });

  it("runs everything that was set off before it picks the next", async () => {
    for (const seed of SEEDS) {
      await runTest(
        async () => {
          const open = new Event();
          let inside = 0;
          const enter = async (): Promise<void> => {
            await open.wait();
            inside += 1;
            for (let step = 0; step < 20; step++) await Promise.resolve();
            assert.equal(inside, 1);
            inside -= 1;
          };
          await gather([enter, enter, enter, async () => open.set()]);
        },
        { seed },
      );
    }
  });

  it("jumps in time only when nobody can go on", async () => {
    for (const seed of SEEDS) {
      const order = await runTest(
        async () => {
          const open = new Event();
          const woken: string[] = [];
          // Two waits in one task: while one of them has ended and was not picked, the other makes the task look blocked.
          await Promise.all([
            sleep(10).then(() => woken.push("slept")),
            open.wait().then(() => woken.push("woken")),
            createTask(async () => open.set()),
          ]);
          return woken;
        },
        { seed },
      );
      assert.deepEqual(order, ["woken", "slept"]);
    }
  });

  it("moves a clock that is moved by hand only by hand", async () => {
    const clock = new MockClock({ autojump: false });
    await runTest(
      async () => {
        await using sleeper = createTask(() => sleep(5));
        await waitUntilIdle();
        assert.equal(sleeper.done, false);
        await clock.advance(5);
        await sleeper;
        assert.equal(now(), 5);
      },
      { clock, seed: 3 },
    );
  });

  it("waits until idle only when nobody can go on", async () => {
    for (const seed of SEEDS) {
      await runTest(
        async () => {
          const [open, never] = [new Event(), new Event()];
          let passed = 0;
          // Two waits in one task: while one of them has ended and was not picked, the other makes the task look blocked.
          const pass = async (): Promise<void> => {
            await Promise.all([open.wait().then(() => (passed += 1)), never.wait()]);
          };
          await using tasks = createTask(() => gather([pass, pass, pass, pass, pass]));
          await waitUntilIdle();
          open.set();
          await waitUntilIdle();
          assert.equal(passed, 5);
          assert.equal(tasks.done, false);
        },
        { seed },
      );
    }
  });

  it("decides for a run inside the test too", async () => {
    const orders = new Set<string>();
    for (const seed of SEEDS) orders.add(await runTest(() => run(wakeOrder), { seed }));
    assert.ok(orders.size > 10);
  });

  it("finds a deadlock", async () => {
    const error = await errorOf(
      runTest(
        async () => {
          const [first, second] = [new Lock(), new Lock()];
          const takeBoth = (one: Lock, other: Lock) => async (): Promise<void> => {
            using held = await one.acquire();
            await sleep(1);
            using alsoHeld = await other.acquire();
            assert.ok(held !== alsoHeld);
          };
          await gather([takeBoth(first, second), takeBoth(second, first)]);
        },
        { seed: 5 },
      ),
    );
    assert.equal((error as { code?: string }).code, "MW_ERR_DEADLOCK");
    assert.equal((error as { seed?: number }).seed, 5);
  });

  it("ends a test that is always busy when its time is over", async () => {
    const busy = async (): Promise<void> => {
      for (;;) await sleep(1_000);
    };
    await assert.rejects(runTest(busy, { seed: 1, timeoutMs: 5 }), { code: "MW_ERR_TEST_TIMEOUT" });
  });

  it("fails with the error of the test, which says its seed and how to see it again", async () => {
    const failure = new RangeError("on purpose");
    const error = await errorOf(
      runTest(
        async () => {
          throw failure;
        },
        { seed: 7 },
      ),
    );
    assert.equal(error, failure);
    const { seed, replay, message } = error as RangeError & { seed: number; replay: string };
    assert.equal(seed, 7);
    assert.equal(replay, "set MEANWHILE_SEED=7 to run this schedule alone");
    assert.equal(message, `on purpose\n(seed 7: ${replay})`);
  });

  it("names only the last seed in an error that is thrown under several", async () => {
    const failure = new RangeError("on purpose");
    for (const seed of [7, 123]) await errorOf(runTest(() => Promise.reject(failure), { seed }));
    assert.equal(failure.message, "on purpose\n(seed 123: set MEANWHILE_SEED=123 to run this schedule alone)");
  });

  it("leaves alone what cannot be written", async () => {
    class Fixed extends Error {
      override get message(): string {
        return "fixed";
      }
    }
    const error = (await errorOf(runTest(() => Promise.reject(new Fixed()), { seed: 7 }))) as Fixed & { seed: number };
    assert.deepEqual([error.message, error.seed], ["fixed", 7]);
  });

  it("wraps what can carry no property", async () => {
    for (const thrown of ["a text", Object.freeze(new Error("frozen"))]) {
      const error = await errorOf(runTest(() => Promise.reject(thrown), { seed: 7 }));
      const { code, cause, seed } = error as TestError & { seed: number };
      assert.deepEqual([code, cause, seed], ["MW_ERR_THROWN_UNDER_SEED", thrown, 7]);
    }
  });

  it("refuses a seed that is none", async () => {
    for (const seed of [-1, 1.5, 2 ** 32, Number.NaN, "1" as never]) {
      await assert.rejects(runTest(wakeOrder, { seed }), { code: "MW_ERR_INVALID_ARGUMENT", message: /'seed'/ });
    }
    assert.equal((await runTest(wakeOrder, { seed: 2 ** 32 - 1 })).length, 4);
  });

  it("takes the seed from the environment instead", async () => {
    const order = await runTest(wakeOrder, { seed: 4 });
    const others = SEEDS.filter((seed) => seed !== 4);
    process.env["MEANWHILE_SEED"] = "4";
    try {
      for (const seed of others) assert.equal(await runTest(wakeOrder, { seed }), order);
      assert.equal(await runTest(wakeOrder), "abcd", "a test without a seed stays one");
      process.env["MEANWHILE_SEED"] = "four";
      await assert.rejects(runTest(wakeOrder, { seed: 1 }), {
        code: "MW_ERR_INVALID_ARGUMENT",
        message: /MEANWHILE_SEED/,
      });
    } finally {
      delete process.env["MEANWHILE_SEED"];
    }
  });
});

describe("The events of a test", () => {
  it("tell who was created, waits, is woken and ends, and when", async () => {
    const events: TestEvent[] = [];
    await runTest(
      async () => {
        createTask(() => sleep(3), { name: "sleeper" });
        await sleep(4);
      },
      { onEvent: (event) => events.push(event) },
    );
    assert.deepEqual(
      events.map(({ kind, at, task, what }) => [kind, at, task, what]),
      [
        ["taskCreated", 0, 1, "main"],
        ["taskStarted", 0, 1, "main"],
        ["taskCreated", 0, 2, "sleeper"],
        ["waitBegun", 0, 1, "sleep"],
        ["taskStarted", 0, 2, "sleeper"],
        ["waitBegun", 0, 2, "sleep"],
        ["waitEnded", 3, 2, "sleep"],
        ["taskEnded", 3, 2, "succeeded"],
        ["waitEnded", 4, 1, "sleep"],
        ["taskEnded", 4, 1, "succeeded"],
        ["scopeCancelled", 4, 0, "the run is ending"],
      ],
    );
    assert.equal(String(events[3]), "0 ms: task 1 waits for sleep");
    assert.equal(String(events[10]), "4 ms: code outside of tasks has a scope cancelled: the run is ending");
  });

  it("tell why a scope was cancelled and how a task failed", async () => {
    const events = await eventsOf(undefined, async () => {
      await moveOnAfter(1, () => sleepForever());
      await moveOnAfter(9, (scope) => scope.cancel(new Error("enough\nof it")));
      await createTask(() => Promise.reject(new RangeError("a fault")), { name: "failing" }).then(null, () => {});
    });
    assert.ok(events.includes("1 ms: task 1 has a scope cancelled: the deadline has passed"));
    assert.ok(events.includes("1 ms: task 1 has a scope cancelled: Error: enough"));
    assert.ok(events.includes("1 ms: task 2 ends: failed with RangeError: a fault"));
  });

  it("number the tasks of each test from 1, in texts too", async () => {
    const test = async (): Promise<void> => {
      using _ = unhurried();
      const lock = new Lock();
      const use = async (): Promise<void> => {
        using held = await lock.acquire();
        await sleep(1);
        assert.ok(held);
      };
      await gather([use, use, async () => createTask(use, { name: "task 1000000" })]);
    };
    const first = await eventsOf(undefined, test);
    assert.deepEqual(first, await eventsOf(undefined, test));
    assert.ok(first.includes('0 ms: task 3 waits for Lock.acquire (held by task 2 "use")'));
    assert.ok(first.includes('0 ms: task 4 waits for task "task 1000000"'));
  });

  it("leave names alone that look like the number of a task", async () => {
    let name = "";
    const events = await eventsOf(undefined, async () => {
      const { id } = createTask(() => sleep(1), { name: "other" });
      name = `task ${id}`;
      await createTask(() => sleep(2), { name });
    });
    assert.ok(events.includes(`0 ms: task 1 waits for task "${name}"`));
  });

  it("leave out what is not of the test", async () => {
    const other = run(async () => {
      for (let i = 0; i < 5; i++) await sleep(0);
    });
    const events = await eventsOf(undefined, async () => {
      for (let i = 0; i < 9; i++) await sleep(0);
    });
    await other;
    assert.ok(events.every((event) => /task 1\b|outside/.test(event)));
  });
});
