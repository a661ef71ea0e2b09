// The promise: wherever a program is cancelled, it ends, everything has cleaned up, and nothing is lost or left behind.
// Each scenario is run once for every point at which it can be cancelled, and once for every call that can fail.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  any,
  cancellable,
  cancelScope,
  coroutine,
  createTask,
  Event,
  exponential,
  forEach,
  gather,
  gatherSettled,
  isCancelled,
  Lock,
  map,
  moveOnAfter,
  Queue,
  race,
  retry,
  Semaphore,
  shield,
  sleep,
  taskGroup,
  timeout,
} from "meanwhile";
import { torture, type TortureOptions, type TorturePoint, type TortureReport } from "meanwhile/testing";

import { expectWarning } from "../../../../tools/test-setup.ts";

/** What a scenario holds on to; all of it must be free in the end. */
class World {
  readonly lock = new Lock();
  readonly slots = new Semaphore(2);
  readonly queue = new Queue<number>({ maxSize: 1 });
  readonly event = new Event();
  put = 0;
  got = 0;
  entered = 0;
  cleaned = 0;

  /** Work in a block whose cleanup waits. */
  async work(ms: number): Promise<number> {
    this.entered += 1;
    try {
      await sleep(ms);
      return ms;
    } finally {
      try {
        await shield(() => sleep(1), { timeoutMs: 100 });
      } finally {
        this.cleaned += 1;
      }
    }
  }

  async produce(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await this.queue.put(i);
      this.put += 1;
    }
  }

  async consume(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await this.queue.get();
      this.got += 1;
    }
  }

  check(): void {
    assert.equal(this.cleaned, this.entered, "every block that was entered has cleaned up");
    assert.equal(this.lock.locked, false, "the lock is free");
    assert.equal(this.slots.statistics().freePermits, 2, "all permits are free");
    assert.equal(this.put - this.got, this.queue.size, "no item is lost or doubled");
    const { getsWaiting, putsWaiting } = this.queue.statistics();
    const waiting = [
      this.lock.statistics().tasksWaiting,
      this.slots.statistics().tasksWaiting,
      getsWaiting,
      putsWaiting,
      this.event.statistics().tasksWaiting,
    ];
    assert.deepEqual(waiting, [0, 0, 0, 0, 0], "nobody waits any more");
  }
}

const failing = async (): Promise<never> => {
  await sleep(2);
  throw new Error("on purpose");
};

const SCENARIOS: Record<string, (world: World) => Promise<unknown>> = {
  "sleep and shielded cleanup": (world) => world.work(5),
  "gather of blocks": (world) => gather([() => world.work(3), () => world.work(5), () => world.work(1)]),
  "gather, a few at a time": (world) =>
    gather(
      [1, 2, 3, 4].map((ms) => () => world.work(ms)),
      { concurrency: 2 },
    ),
  "gather with a failure": (world) => gather([() => world.work(5), failing]).catch(rethrowOurs),
  gatherSettled: (world) => gatherSettled([() => world.work(2), () => world.work(3), () => world.work(4)]),
  race: (world) => race([() => world.work(3), () => world.work(1)]),
  any: (world) => any([failing, () => world.work(3), () => world.work(9)]),
  "a lock with waiters": (world) =>
    gather(
      [1, 2, 3].map((ms) => async () => {
        using held = await world.lock.acquire();
        await world.work(ms);
        return held;
      }),
    ),
  "a semaphore with waiters": (world) =>
    gather(
      [1, 2, 3, 4].map((ms) => async () => {
        using slot = await world.slots.acquire();
        await world.work(ms);
        return slot;
      }),
    ),
  "a queue of one place": (world) => gather([() => world.produce(4), () => world.consume(4)]),
  "an event": (world) =>
    gather([() => world.event.wait(), () => world.event.wait(), () => world.work(2).then(() => world.event.set())]),
  "a group": (world) =>
    taskGroup(async (group) => {
      group.createTask(() => world.work(2));
      const task = group.createTask(() => world.work(3));
      await world.work(1);
      return task;
    }),
  "a group with a failure": (world) =>
    taskGroup(async (group) => {
      group.createTask(() => world.work(9));
      group.createTask(failing);
      await world.work(9);
    }).catch(rethrowOurs),
  "a group that cancels itself": (world) =>
    taskGroup(async (group) => {
      group.createTask(() => world.work(9));
      await world.work(1);
      group.cancel("done");
    }),
  "group.start": (world) =>
    taskGroup(async (group) => {
      const port = await group.start<number>(async (started) => {
        await world.work(1);
        started(8080);
        await world.work(3);
      });
      return port + (await world.work(1));
    }),
  "timeout that passes": (world) => timeout(50, () => world.work(2)),
  "timeout that expires": (world) => timeout(2, () => world.work(50)).catch(rethrowOurs),
  "nested timeouts": (world) => moveOnAfter(4, () => moveOnAfter(2, () => world.work(50)).then(() => world.work(50))),
  cancelScope: (world) =>
    cancelScope((scope) => gather([() => world.work(9), () => world.work(1).then(() => scope.cancel())])),
  "retry with waits": (world) => {
    let attempts = 0;
    return retry(
      async () => {
        await world.work(1);
        attempts += 1;
        if (attempts < 3) await failing();
      },
      { attempts: 3, backoff: exponential({ baseMs: 2, jitter: "none" }) },
    );
  },
  "a background task in a block": async (world) => {
    await using task = createTask(() => world.work(20));
    await world.work(1);
    return task.done;
  },
  coroutines: (world) => {
    const work = coroutine((ms: number) => world.work(ms));
    return gather([work(1), work(2)]);
  },
  cancellable: () => cancellable(new Promise((resolve) => setImmediate(resolve))),
  forEach: (world) => forEach([1, 2, 3, 4], (ms) => world.work(ms), { concurrency: 2 }),
  map: async (world) => {
    for await (const ms of map([3, 1, 2], (item) => world.work(item), { concurrency: 2 })) await world.work(ms);
  },
};

function rethrowOurs(error: unknown): void {
  if (isCancelled(error)) throw error;
}

/** Scenarios that may end with an error of their own beside the cancellation. */
const EXPECT_ERRORS: Record<string, (error: unknown) => boolean> = {
  "retry with waits": (error) => error instanceof Error && error.message === "on purpose",
};

/** Scenarios in which an error comes beside the one that is thrown: when they are cancelled, when a call fails. */
const SUPPRESS_ERRORS = {
  cancelled: new Set(["any"]),
  failing: new Set(["any", "race", "gather with a failure"]),
};

/** Calls that never fail by themselves, and after which nobody could clean up: the disposer of a task, `next` of map. */
function mayFail({ where }: TorturePoint): boolean {
  // JavaScriptCore leaves out who calls in tail position; the disposer awaits the task.
  return !/asyncDispose|^then$|next in/.test(where);
}

async function survives(name: string, when: "cancelled" | "failing", options: TortureOptions): Promise<TortureReport> {
  const scenario = {
    setup: () => new World(),
    run: SCENARIOS[name] as (world: World) => Promise<unknown>,
    check: (world: World) => world.check(),
    expectErrors: EXPECT_ERRORS[name],
  };
  await using warnings = new AsyncDisposableStack();
  if (!SUPPRESS_ERRORS[when].has(name)) return await torture(scenario, options);
  warnings.use(expectWarning("MW_WARN_SUPPRESSED"));
  return await torture(scenario, { ...options, expectWarnings: ["MW_WARN_SUPPRESSED"] });
}

describe("A program", () => {
  for (const name of Object.keys(SCENARIOS)) {
    it(`cleans up wherever it is cancelled: ${name}`, async () => {
      const { checkpoints, suspensions, runs, points } = await survives(name, "cancelled", {});
      assert.ok(checkpoints > 0 && suspensions > 0);
      assert.equal(runs, points.length + 1);
    });

    it(`cleans up wherever it is cancelled, under other schedules: ${name}`, async () => {
      for (const seed of [1, 2, 3]) await survives(name, "cancelled", { seed });
    });

    it(`cleans up wherever it is cancelled a second time: ${name}`, async () => {
      await survives(name, "cancelled", { pairs: 50 });
    });

    it(`cleans up whichever of its calls fails: ${name}`, async () => {
      await survives(name, "failing", { inject: "error", mayFail });
    });
  }
});
