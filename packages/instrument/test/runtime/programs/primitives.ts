import {
  any,
  asCompleted,
  Barrier,
  cancellable,
  cancelScope,
  CapacityLimiter,
  checkpoint,
  Condition,
  coroutine,
  createTask,
  Event,
  forEach,
  gather,
  gatherSettled,
  isCancelled,
  Lock,
  map,
  moveOnAfter,
  now,
  Queue,
  race,
  RateLimiter,
  retry,
  Semaphore,
  shield,
  sleep,
  sleepForever,
  sleepUntil,
  taskGroup,
  timeout,
  wait,
} from "meanwhile";

import { type Log, nameOf } from "./foreign.ts";

async function tell<T>(log: Log, name: string, body: () => T | PromiseLike<T>): Promise<T> {
  try {
    const value = await body();
    log(`${now()} ${name} has ${JSON.stringify(value)}`);
    return value;
  } catch (error) {
    log(`${now()} ${name} sees ${nameOf(error)}, ours: ${isCancelled(error)}`);
    throw error;
  } finally {
    log(`${now()} ${name} ends`);
  }
}

/** A job that takes some time, and some to clean up. */
function slow(log: Log, name: string, ms: number, cleanupMs = 0): () => Promise<string> {
  return () =>
    tell(log, name, async () => {
      try {
        await sleep(ms);
        return name;
      } finally {
        if (cleanupMs > 0) await shield(() => sleep(cleanupMs));
      }
    });
}

function failing(log: Log, name: string, ms: number): () => Promise<never> {
  return () =>
    tell(log, name, async () => {
      await sleep(ms);
      throw new RangeError(name);
    });
}

async function swallow(log: Log, body: () => unknown): Promise<void> {
  try {
    log(`gives ${JSON.stringify(await body())}`);
  } catch (error) {
    log(`throws ${nameOf(error)}`);
  }
}

export async function sleeps(log: Log): Promise<void> {
  await tell(log, "sleep", () => sleep(5));
  await tell(log, "sleepUntil", () => sleepUntil(now() + 5));
  await tell(log, "checkpoint", () => checkpoint());
}
export async function sleepsForever(log: Log): Promise<void> {
  await swallow(log, () => moveOnAfter(5, () => tell(log, "forever", () => sleepForever())));
}
export async function timesOut(log: Log): Promise<void> {
  await swallow(log, () => timeout(5, slow(log, "a", 10, 3)));
}
export async function isInTime(log: Log): Promise<void> {
  await swallow(log, () => timeout(15, slow(log, "a", 10)));
}
export async function movesOn(log: Log): Promise<void> {
  await swallow(log, () => moveOnAfter(5, slow(log, "a", 10, 3)));
}
export async function nestedTimeouts(log: Log): Promise<void> {
  await swallow(log, () => timeout(20, () => tell(log, "outer", () => timeout(5, slow(log, "inner", 10, 3)))));
  await swallow(log, () => timeout(5, () => tell(log, "outer", () => timeout(20, slow(log, "inner", 10, 3)))));
}
export async function gathers(log: Log): Promise<void> {
  await swallow(log, () => gather([slow(log, "a", 10), slow(log, "b", 5)]));
}
export async function gathersFailing(log: Log): Promise<void> {
  await swallow(log, () => gather([slow(log, "a", 10, 3), failing(log, "b", 5)]));
}
export async function gathersCancelled(log: Log): Promise<void> {
  await swallow(log, () => moveOnAfter(5, () => gather([slow(log, "a", 10, 3), slow(log, "b", 10, 1)])));
}
export async function gathersFew(log: Log): Promise<void> {
  await swallow(log, () => gather([slow(log, "a", 3), slow(log, "b", 3), slow(log, "c", 3)], { concurrency: 2 }));
}
export async function gathersSettled(log: Log): Promise<void> {
  const results = await gatherSettled([slow(log, "a", 3), failing(log, "b", 1)]);
  log(results.map(({ status }) => status).join());
}
export async function races(log: Log): Promise<void> {
  await swallow(log, () => race([slow(log, "a", 3), slow(log, "b", 5, 2)]));
  await swallow(log, () => any([failing(log, "c", 3), slow(log, "d", 5, 2)]));
}
export async function completes(log: Log): Promise<void> {
  for await (const name of asCompleted([slow(log, "a", 5), slow(log, "b", 3)])) log(`${now()} item ${name}`);
}
export async function leavesAsCompleted(log: Log): Promise<void> {
  for await (const name of asCompleted([slow(log, "a", 5, 2), slow(log, "b", 3)])) {
    log(`${now()} item ${name}`);
    break;
  }
  log(`${now()} after the loop`);
}
export async function maps(log: Log): Promise<void> {
  for await (const name of map(["a", "b", "c"], (item) => slow(log, item, 3)(), { concurrency: 2 }))
    log(`item ${name}`);
}
export async function mapsCancelled(log: Log): Promise<void> {
  await swallow(log, () =>
    moveOnAfter(4, async () => {
      const items = map(["a", "b", "c"], (item) => slow(log, item, 3, 2)(), { concurrency: 1 });
      for await (const name of items) log(`item ${name}`);
    }),
  );
}
export async function forEachOfGenerator(log: Log): Promise<void> {
  async function* source(): AsyncGenerator<string, void> {
    try {
      for (const name of ["a", "b", "c"]) {
        await sleep(1);
        yield name;
      }
    } finally {
      log(`${now()} source ends`);
    }
  }
  await forEach(source(), (name) => slow(log, name, 3)(), { concurrency: 2 });
  await swallow(log, () => forEach(source(), (name) => failing(log, name, 3)(), { concurrency: 2 }));
}
export async function retries(log: Log): Promise<void> {
  let attempts = 0;
  const job = async (): Promise<number> => {
    attempts += 1;
    await sleep(1);
    if (attempts < 3) throw new RangeError("again");
    return attempts;
  };
  await swallow(log, () => retry(() => tell(log, `attempt ${attempts + 1}`, job), { backoff: () => 2 }));
}
export async function waitsFor(log: Log): Promise<void> {
  await taskGroup(async (group) => {
    const tasks = [group.createTask(slow(log, "a", 3)), group.createTask(slow(log, "b", 5))];
    const { done } = await wait(tasks, { until: "first" });
    log(`${now()} done: ${[...done].length}`);
  });
}
export async function groups(log: Log): Promise<void> {
  await swallow(log, () =>
    taskGroup(async (group) => {
      group.createTask(slow(log, "a", 3));
      const task = group.createTask(slow(log, "b", 1));
      log(`${now()} awaited ${await task}`);
      return "body";
    }),
  );
}
export async function groupsFailing(log: Log): Promise<void> {
  await swallow(log, () =>
    taskGroup(async (group) => {
      group.createTask(slow(log, "a", 30, 3));
      group.createTask(failing(log, "b", 1));
      await tell(log, "body", () => sleep(10));
    }),
  );
}
export async function groupsNested(log: Log): Promise<void> {
  await swallow(log, () =>
    moveOnAfter(5, () =>
      taskGroup(async (outer) => {
        outer.createTask(slow(log, "a", 30, 1));
        await taskGroup(async (inner) => {
          inner.createTask(slow(log, "b", 30, 3));
          await tell(log, "body", () => sleep(10));
        });
      }),
    ),
  );
}
export async function groupsCancelItself(log: Log): Promise<void> {
  await swallow(log, () =>
    taskGroup(async (group) => {
      group.createTask(slow(log, "a", 30, 1));
      await sleep(1);
      group.cancel();
      await tell(log, "body", () => sleep(10));
    }),
  );
}
export async function cancelsTask(log: Log): Promise<void> {
  await taskGroup(async (group) => {
    const task = group.createTask(slow(log, "a", 30, 3));
    await sleep(1);
    task.cancel();
    await swallow(log, () => task);
  });
}
export async function disposesTask(log: Log): Promise<void> {
  {
    await using task = createTask(slow(log, "a", 30, 3));
    await sleep(1);
    log(`leaves while done is ${task.done}`);
  }
  log(`${now()} goes on`);
}
export async function locks(log: Log): Promise<void> {
  const lock = new Lock();
  const job = (name: string) => async (): Promise<void> => {
    using held = await lock.acquire();
    log(`${now()} ${name} has the lock`);
    await sleep(2);
    log(`${now()} ${name} gives it back ${String(held === undefined)}`);
  };
  await gather([job("a"), job("b"), () => moveOnAfter(1, job("c")), job("d")]);
}
export async function semaphores(log: Log): Promise<void> {
  const slots = new Semaphore(2);
  await gather(
    ["a", "b", "c"].map((name) => async () => {
      using slot = await slots.acquire();
      await slow(log, name, 2)();
      log(`free: ${slots.freePermits} ${String(slot === undefined)}`);
    }),
  );
}
export async function events(log: Log): Promise<void> {
  const event = new Event();
  await gather([
    () => tell(log, "a", () => event.wait()),
    () => moveOnAfter(1, () => tell(log, "b", () => event.wait())),
    async () => {
      await sleep(2);
      event.set();
    },
  ]);
}
export async function queues(log: Log): Promise<void> {
  const queue = new Queue<number>({ maxSize: 1 });
  await gather([
    async () => {
      for (const item of [1, 2, 3]) {
        await queue.put(item);
        log(`${now()} put ${item}`);
      }
      queue.close();
    },
    async () => {
      for await (const item of queue) {
        log(`${now()} got ${item}`);
        await sleep(1);
      }
    },
  ]);
}
export async function queuesCancelled(log: Log): Promise<void> {
  const queue = new Queue<number>({ maxSize: 1 });
  await moveOnAfter(3, async () => {
    for await (const item of queue) log(`not reached ${item}`);
  });
  await moveOnAfter(3, () => tell(log, "get", () => queue.get()));
  log(`size ${queue.size}`);
}
export async function conditions(log: Log): Promise<void> {
  const changed = new Condition();
  let water = 0;
  await gather([
    async () => {
      using held = await changed.acquire();
      await changed.waitFor(() => water >= 2);
      log(`${now()} water ${water} ${String(held === undefined)}`);
    },
    async () => {
      for (; water < 2; water += 1) await sleep(1);
      using held = await changed.acquire();
      changed.notifyAll();
      log(`${now()} notified ${String(held === undefined)}`);
    },
  ]);
}
export async function barriers(log: Log): Promise<void> {
  const round = new Barrier(2);
  await gather(
    [1, 3].map((ms) => async () => {
      await sleep(ms);
      await round.wait();
      log(`${now()} past the barrier`);
    }),
  );
}
export async function limiters(log: Log): Promise<void> {
  const limiter = new CapacityLimiter(1);
  const rate = new RateLimiter({ limit: 2, intervalMs: 10 });
  await gather(
    ["a", "b", "c"].map((name) => async () => {
      using token = await limiter.acquire();
      await rate.acquire();
      log(`${now()} ${name} ${String(token === undefined)}`);
    }),
  );
}
export async function coroutines(log: Log): Promise<void> {
  const fetchName = coroutine(async (name: string, ms: number) => await slow(log, name, ms, 2)());
  const first = fetchName("a", 3);
  log(await first);
  log(await first);
  log(String(await gather([fetchName("b", 3), fetchName("c", 1)])));
  await swallow(log, () => moveOnAfter(1, () => fetchName("d", 3)));
  await swallow(log, () => moveOnAfter(1, async () => await fetchName("e", 3)));
}
export async function coroutineOfAnotherTask(log: Log): Promise<void> {
  const call = coroutine(() => slow(log, "a", 5, 2)())();
  await taskGroup(async (group) => {
    const first = group.createTask(() => tell(log, "first", async () => await call));
    group.createTask(async () => {
      await sleep(1);
      await swallow(log, () => moveOnAfter(1, () => tell(log, "second", async () => await call)));
      await swallow(log, () => tell(log, "third", async () => await call));
    });
    await sleep(3);
    first.cancel();
  });
}
export async function shields(log: Log): Promise<void> {
  await swallow(log, () => moveOnAfter(1, () => tell(log, "around", () => shield(slow(log, "a", 3)))));
  await swallow(log, () =>
    moveOnAfter(1, () => tell(log, "around", () => shield(() => timeout(2, slow(log, "b", 5))))),
  );
}
export async function cancelsWithSignal(log: Log): Promise<void> {
  await cancelScope(async (scope) => {
    const work = (signal: AbortSignal): Promise<string> =>
      new Promise<string>((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          log(`${now()} aborted`);
          setImmediate(() => {
            log(`${now()} stopped`);
            reject(signal.reason as Error);
          });
        });
        setImmediate(() => scope.cancel());
      });
    await tell(log, "work", () => cancellable(work));
  });
  log(await cancellable(() => "sync"));
}
export async function cancelsForeignPromise(log: Log): Promise<void> {
  await cancelScope(async (scope) => {
    setImmediate(() => scope.cancel());
    await tell(log, "promise", () => cancellable(new Promise(() => {})));
  });
}
export async function failsInShieldedCleanup(log: Log): Promise<void> {
  await swallow(log, () =>
    moveOnAfter(1, async () => {
      try {
        await sleep(5);
      } finally {
        await shield(failing(log, "cleanup", 1));
      }
    }),
  );
}
export async function refusesInCancelledScope(log: Log): Promise<void> {
  await cancelScope(async (scope) => {
    scope.cancel();
    const bodies: Array<() => unknown> = [
      () => sleep(1),
      () => checkpoint(),
      () => new Lock().acquire(),
      () => gather([() => 1]),
    ];
    for (const body of bodies) await tell(log, "body", body).catch((error: unknown) => log(nameOf(error)));
  });
}
export async function ownsBackgroundTask(log: Log): Promise<void> {
  const task = createTask(slow(log, "background", 5));
  await tell(log, "main", () => sleep(1));
  await swallow(log, () => moveOnAfter(1, () => tell(log, "waiter", () => task)));
  log(`${now()} ${await task}`);
}
