// Programs that use every call that waits. Each says which rows of docs/cancel-safety.md it stands for.

import { setImmediate as turn, setTimeout as wait } from "node:timers/promises";

import {
  any,
  asCompleted,
  cancellable,
  cancelScope,
  checkpoint,
  coroutine,
  createTask,
  currentSignal,
  exponential,
  fixed,
  forEach,
  gather,
  gatherSettled,
  map,
  moveOnAfter,
  now,
  race,
  retry,
  retrying,
  run,
  shield,
  sleep,
  sleepForever,
  sleepUntil,
  taskGroup,
  timeout,
  timeoutAt,
  wait as waitFor,
} from "meanwhile";
import {
  cancellableAs,
  Children,
  enterCheckpoint,
  enterScope,
  giveWay,
  ParkingLot,
  suspend,
  untilIdle,
  type Waiter,
} from "meanwhile/lowlevel";
import { Sequencer, waitUntilIdle } from "meanwhile/testing";

import { rethrowOurs, type World } from "./world.ts";

export interface Program {
  /** Rows of the table of cancel safety. */
  readonly covers: readonly string[];
  readonly run: (world: World) => unknown;
  /** For a program that ends with errors of its own, or cannot be failed at any place: only cancelled. */
  readonly cancelOnly?: true;
  /** For a program that has a value although a call in it has failed: it tries again, or does without. */
  readonly mayRecover?: true;
  /** For a program in which a failure that it handles goes before its cancellation. */
  readonly maySwallowCancellation?: true;
}

interface Covering {
  by(program: Program["run"]): Program;
  /** Only cancelled. */
  cancelledBy(program: Program["run"]): Program;
  /** Has a value although a call in it has failed. */
  recoveringBy(program: Program["run"]): Program;
}

const covering = (...covers: string[]): Covering => ({
  by: (program) => ({ covers, run: program }),
  cancelledBy: (program) => ({ covers, run: program, cancelOnly: true }),
  recoveringBy: (program) => ({ covers, run: program, mayRecover: true }),
});

/** The message of the errors that the programs throw themselves. */
export const ON_PURPOSE = "on purpose";

const failing = async (): Promise<never> => {
  await sleep(2);
  throw new Error(ON_PURPOSE);
};

/** Wakes after a real turn of the event loop, which a mock clock does not jump over. */
const inATurn = <T>(value: T): Promise<T> => turn(value);

export const PROGRAMS: Readonly<Record<string, Program>> = {
  // Time
  sleep: covering("sleep").by((world) => world.work(5)),
  "sleep(0)": covering("sleep").by(() => sleep(0)),
  sleepUntil: covering("sleepUntil").by(() => sleepUntil(now() + 3)),
  "sleepUntil the past": covering("sleepUntil").by(() => sleepUntil(now() - 3)),
  sleepForever: covering("sleepForever", "moveOnAfter").by(() => moveOnAfter(5, sleepForever)),
  checkpoint: covering("checkpoint").by(async () => {
    for (let i = 0; i < 3; i++) await checkpoint();
  }),
  "a timeout in time": covering("timeout").by((world) => timeout(50, () => world.work(2))),
  "a timeout that expires": covering("timeout").recoveringBy((world) =>
    timeout(2, () => world.work(50)).catch(rethrowOurs),
  ),
  "a timeout over blocks of several tasks": covering("timeout", "gather").recoveringBy((world) =>
    timeout(3, () => gather([() => world.work(50), () => world.work(1)])).catch(rethrowOurs),
  ),
  timeoutAt: covering("timeoutAt").recoveringBy((world) =>
    timeoutAt(now() + 2, () => world.work(50)).catch(rethrowOurs),
  ),
  "nested timeouts": covering("moveOnAfter").by((world) =>
    moveOnAfter(4, () => moveOnAfter(2, () => world.work(50)).then(() => world.work(50))),
  ),
  "a deadline that is moved": covering("timeout", "cancelScope").by((world) =>
    timeout(2, async (scope) => {
      scope.deadline = now() + 20;
      await world.work(5);
    }),
  ),
  shield: covering("shield").by(async (world) => {
    await shield(() => world.work(3));
    await checkpoint();
  }),
  "a shield that expires": covering("shield").recoveringBy(async (world) => {
    await shield(() => world.work(50), { timeoutMs: 2 }).catch(rethrowOurs);
    await checkpoint();
  }),
  "a shield in a shield": covering("shield").by(async (world) => {
    await shield(() => shield(() => world.work(2), { timeoutMs: 50 }));
    await checkpoint();
  }),
  cancelScope: covering("cancelScope").by((world) =>
    cancelScope((scope) => gather([() => world.work(9), () => world.work(1).then(() => scope.cancel())])),
  ),
  "a scope left by a signal": covering("cancelScope", "gather").cancelledBy((world) =>
    cancelScope(
      () =>
        gather([
          () => world.work(9),
          async () => {
            await world.work(1);
            world.abort.abort("enough");
          },
        ]),
      { signal: world.abort.signal },
    ).catch(() => checkpoint()),
  ),

  // Many at once
  "gather of blocks": covering("gather").by((world) =>
    gather([() => world.work(3), () => world.work(5), () => world.work(1)]),
  ),
  "gather, a few at a time": covering("gather").by((world) =>
    gather(
      [1, 2, 3, 4].map((ms) => () => world.work(ms)),
      { concurrency: 2 },
    ),
  ),
  "gather of a generator": covering("gather").by((world) =>
    gather(
      (function* () {
        for (const ms of [2, 1, 3]) yield () => world.work(ms);
      })(),
      { concurrency: 2 },
    ),
  ),
  "gather with a failure": covering("gather").recoveringBy((world) =>
    gather([() => world.work(5), failing]).catch(rethrowOurs),
  ),
  "gather of gathers": covering("gather").by((world) =>
    gather([
      () => gather([() => world.work(1), () => world.work(4)]),
      () => gather([() => world.work(2), () => world.work(3)]),
    ]),
  ),
  "gather of running promises": covering("gather").by((world) => gather([inATurn(1), () => world.work(2)])),
  gatherSettled: covering("gatherSettled").recoveringBy((world) =>
    gatherSettled([() => world.work(2), failing, () => world.work(4)]),
  ),
  race: covering("race").recoveringBy((world) => race([() => world.work(3), () => world.work(1)])),
  "a race that a failure decides": covering("race").recoveringBy((world) =>
    race([() => world.work(5), failing]).catch(rethrowOurs),
  ),
  any: covering("any").recoveringBy((world) => any([failing, () => world.work(3), () => world.work(9)])),
  asCompleted: covering("asCompleted").by(async (world) => {
    for await (const ms of asCompleted([3, 1, 2].map((item) => () => world.work(item)))) await world.work(ms);
  }),
  "asCompleted, left early": covering("asCompleted").recoveringBy(async (world) => {
    for await (const ms of asCompleted([3, 1, 2].map((item) => () => world.work(item)))) if (ms === 1) break;
  }),
  "wait for all": covering("wait").recoveringBy((world) =>
    taskGroup(async (group) => {
      const tasks = [2, 1].map((ms) => group.createTask(() => world.work(ms)));
      await waitFor(tasks);
    }),
  ),
  "wait for the first, or for a while": covering("wait").recoveringBy((world) =>
    taskGroup(async (group) => {
      const tasks = [9, 2].map((ms) => group.createTask(() => world.work(ms)));
      await waitFor(tasks, { until: "first" });
      await waitFor(tasks, { timeoutMs: 2 });
      group.cancel();
    }),
  ),
  forEach: covering("forEach").by((world) => forEach([1, 2, 3, 4], (ms) => world.work(ms), { concurrency: 2 })),
  "forEach over a source that waits": covering("forEach").by((world) =>
    forEach(
      (async function* () {
        for (const ms of [1, 2, 3]) {
          await world.work(1);
          yield ms;
        }
      })(),
      (ms) => world.work(ms),
      { concurrency: 2 },
    ),
  ),
  "forEach over a queue": covering("forEach").by(async (world) => {
    const take = (): void => void (world.received += 1);
    try {
      await gather([
        async () => {
          for (let i = 0; i < 3; i++) {
            await world.queue.put(i);
            world.produced += 1;
          }
          world.queue.close();
        },
        () => forEach(world.queue, take, { concurrency: 1 }),
      ]);
    } finally {
      for (; world.queue.size > 0; take()) world.queue.tryGet();
    }
  }),
  "map over a source that waits for something foreign": covering("map").by(async (world) => {
    async function* source(): AsyncGenerator<number> {
      for (const ms of [1, 2, 1]) {
        await inATurn(ms);
        world.produced += 1;
        yield ms;
      }
    }
    const take = (ms: number): Promise<number> => {
      world.received += 1;
      return world.work(ms);
    };
    for await (const ms of map(source(), take, { concurrency: 2 })) await world.work(ms);
  }),
  map: covering("map").by(async (world) => {
    for await (const ms of map([3, 1, 2], (item) => world.work(item), { concurrency: 2 })) await world.work(ms);
  }),
  "map, as they are ready": covering("map").by(async (world) => {
    for await (const _ of map([3, 1, 2], (item) => world.work(item), { concurrency: 3, ordered: false }));
  }),
  "map, left early": covering("map").recoveringBy(async (world) => {
    for await (const _ of map([1, 9, 9], (item) => world.work(item), { concurrency: 3 })) break;
  }),

  // Groups and tasks
  "a group": covering("taskGroup").by((world) =>
    taskGroup(async (group) => {
      group.createTask(() => world.work(2));
      const task = group.createTask(() => world.work(3));
      await world.work(1);
      return task;
    }),
  ),
  "a group that grows": covering("taskGroup").by((world) =>
    taskGroup((group) => {
      group.createTask(async () => {
        await world.work(1);
        group.createTask(() => world.work(1));
      });
    }),
  ),
  "a group with a failure": {
    ...covering("taskGroup").recoveringBy((world) =>
      taskGroup(async (group) => {
        group.createTask(() => world.work(9));
        group.createTask(failing);
        await world.work(9);
      }).catch(rethrowOurs),
    ),
    maySwallowCancellation: true,
  },
  "a group that cancels itself": covering("taskGroup").by((world) =>
    taskGroup(async (group) => {
      group.createTask(() => world.work(9));
      await world.work(1);
      group.cancel("done");
    }),
  ),
  "group.start": covering("TaskGroup.start").by((world) =>
    taskGroup(async (group) => {
      const port = await group.start<number>(async (started) => {
        await world.work(1);
        started(8080);
        await world.work(3);
      });
      return port + (await world.work(1));
    }),
  ),
  "a background task in a block": covering("TaskNode.[Symbol.asyncDispose]").by(async (world) => {
    await using task = createTask(() => world.work(20));
    await world.work(1);
    return task.done;
  }),
  "a run inside": covering("run").by((world) =>
    run(async () => {
      createTask(() => world.work(50));
      await world.work(1);
    }),
  ),
  coroutines: covering("gather").by((world) => {
    const work = coroutine((ms: number) => world.work(ms));
    return gather([work(1), async () => await work(2)]);
  }),

  // Once more
  "retry with waits": covering("retry").recoveringBy((world) => {
    let attempts = 0;
    return retry(
      async () => {
        await world.work(1);
        attempts += 1;
        if (attempts < 3) await failing();
      },
      { attempts: 3, backoff: exponential({ baseMs: 2, jitter: "none" }) },
    );
  }),
  "retry with deadlines": covering("retry").recoveringBy((world) =>
    retry(() => world.work(5), { attempts: 3, backoff: fixed(1), attemptTimeoutMs: 3, totalMs: 12 }).catch(rethrowOurs),
  ),
  retrying: covering("retry").recoveringBy((world) => {
    let tries = 0;
    const flaky = retrying(
      async () => {
        tries += 1;
        return tries < 2 ? failing() : world.work(1);
      },
      { backoff: fixed(1) },
    );
    return flaky();
  }),

  // Primitives
  "Lock.acquire": covering("Lock.acquire").by((world) =>
    gather([1, 2, 3].map((ms) => () => world.holding(() => world.lock.acquire(), ms))),
  ),
  "Semaphore.acquire": covering("Semaphore.acquire").by((world) =>
    gather([1, 2, 3, 4].map((ms) => () => world.holding(() => world.slots.acquire(), ms))),
  ),
  "BoundedSemaphore.acquire": covering("Semaphore.acquire").by((world) =>
    gather([1, 2].map((ms) => () => world.holding(() => world.bounded.acquire(), ms))),
  ),
  "CapacityLimiter.acquire": covering("CapacityLimiter.acquire").by((world) =>
    gather([1, 2, 3].map((ms) => () => world.holding(() => world.tokens.acquire(), ms))),
  ),
  "RateLimiter.acquire": covering("RateLimiter.acquire").by((world) =>
    gather([1, 2, 3, 4, 5].map(() => () => world.rate.acquire())),
  ),
  "Condition.wait": covering("Condition.acquire", "Condition.wait").by((world) =>
    taskGroup(async (group) => {
      for (let i = 0; i < 2; i++) {
        group.createTask(async () => {
          using held = await world.condition.acquire();
          await world.condition.wait();
          await world.work(1);
          return held;
        });
      }
      await sleep(1);
      await world.holding(() => world.condition.acquire(), 1);
      {
        using held = await world.condition.acquire();
        world.condition.notifyAll();
        held.release();
      }
    }),
  ),
  "Condition.waitFor": covering("Condition.waitFor").by((world) =>
    taskGroup(async (group) => {
      let water = 0;
      group.createTask(async () => {
        using held = await world.condition.acquire();
        await world.condition.waitFor(() => water === 2);
        return held;
      });
      for (let i = 0; i < 2; i++) {
        await sleep(1);
        using held = await world.condition.acquire();
        water += 1;
        world.condition.notify();
        held.release();
      }
    }),
  ),
  "Event.wait": covering("Event.wait").by((world) =>
    gather([() => world.event.wait(), () => world.event.wait(), () => world.work(2).then(() => world.event.set())]),
  ),
  "Barrier.wait": covering("Barrier.wait").by((world) =>
    gather([1, 2, 3].map((ms) => () => world.work(ms).then(() => world.barrier.wait()))),
  ),
  "Queue.put and Queue.get": covering("Queue.put", "Queue.get").by((world) =>
    gather([() => world.produce(world.queue, 4), () => world.consume(world.queue, 4)]),
  ),
  "Queue.get by several": covering("Queue.get").by((world) =>
    gather([
      () => world.consume(world.queue, 2),
      () => world.consume(world.queue, 2),
      () => world.work(1).then(() => world.produce(world.queue, 4)),
    ]),
  ),
  "Queue.put by several": covering("Queue.put").by((world) =>
    gather([
      () => world.produce(world.queue, 2),
      () => world.produce(world.queue, 2),
      () => world.work(1).then(() => world.consume(world.queue, 4)),
    ]),
  ),
  "Queue.join": covering("Queue.join").by((world) =>
    gather([
      () =>
        world
          .produce(world.queue, 3)
          .then(() => world.queue.join())
          .then(() => world.queue.close()),
      () => world.drain(world.queue),
    ]),
  ),
  "QueueProducer.put": covering("QueueProducer.put").by((world) => {
    const producers = [world.queue.producer(), world.queue.producer()];
    return gather([
      ...producers.map((producer) => async () => {
        using open = producer;
        await world.produce(open, 2);
      }),
      () => world.drain(world.queue),
    ]);
  }),
  "PriorityQueue.put and get": covering("Queue.put", "Queue.get").by((world) =>
    gather([() => world.produce(world.sorted, 5), () => world.consume(world.sorted, 5)]),
  ),
  "LifoQueue.put and get": covering("Queue.put", "Queue.get").by((world) =>
    gather([() => world.produce(world.stack, 5), () => world.consume(world.stack, 5)]),
  ),

  // What is not ours
  "cancellable, a promise": covering("cancellable").cancelledBy(async (world) => {
    world.produced += 1;
    world.received += await cancellable(inATurn(1));
  }),
  "cancellableAs, a promise": covering("cancellableAs").cancelledBy(async (world) => {
    world.produced += 1;
    world.received += await cancellableAs(inATurn(1), { describe: () => "a promise" });
  }),
  "cancellable, a function": covering("cancellable").by(() => cancellable((signal) => wait(1, "done", { signal }))),
  "a signal of the scope": covering("cancelScope").by(() =>
    cancelScope(async () => {
      await sleep(1);
      await wait(1, undefined, { signal: currentSignal() });
      await checkpoint();
    }),
  ),

  // The kernel's own
  "enterCheckpoint and giveWay": covering("enterCheckpoint", "giveWay").by(async () => {
    const turnOver = enterCheckpoint();
    if (turnOver !== null) await turnOver;
    await giveWay();
  }),
  suspend: covering("suspend").by(() => {
    const waiting = new Set<Waiter<void>>();
    return gather([
      () =>
        suspend<void>((waiter) => {
          waiting.add(waiter);
          return () => void waiting.delete(waiter);
        }),
      async () => {
        await sleep(1);
        for (const waiter of waiting) waiter.wake();
      },
    ]);
  }),
  "ParkingLot.park": covering("ParkingLot.park").by((world) => {
    const lot = new ParkingLot({ describe: () => "a lot" });
    return gather([() => lot.park(), () => lot.park(), () => world.work(1).then(() => lot.unparkAll())]);
  }),
  untilIdle: covering("untilIdle").by(() => moveOnAfter(1, () => untilIdle())),
  enterScope: covering("enterScope").by((world) => enterScope(() => world.work(1))),
  Children: covering("Children.join", "Children.runBody").recoveringBy(async (world) => {
    const children = new Children("a test", () => {});
    try {
      children.create(() => world.work(3), "child", 0).start();
      const body = (): Promise<unknown> => world.work(1);
      await children.runBody(body, body);
    } finally {
      await children.join();
      children.close();
    }
  }),
  "Sequencer.at": covering("Sequencer.at").by((world) => {
    const sequencer = new Sequencer();
    return gather(
      [2, 0, 1].map((place) => async () => {
        using at = await sequencer.at(place);
        await world.work(1);
        return at;
      }),
    );
  }),
  waitUntilIdle: covering("waitUntilIdle").by(async (world) => {
    await using task = createTask(() => world.holding(() => world.lock.acquire(), 50));
    await waitUntilIdle();
    return task.done;
  }),
};
