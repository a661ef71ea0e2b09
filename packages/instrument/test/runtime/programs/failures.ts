import { cancelScope, createTask, Event, isCancelled, moveOnAfter, taskGroup } from "meanwhile";

import { type Log, nameOf, never, turns } from "./foreign.ts";

async function load(log: Log): Promise<string> {
  try {
    return await never();
  } finally {
    await turns(1);
    log("load ends");
  }
}

export async function withCacheWhoseOwnerIsCancelled(log: Log): Promise<void> {
  let cached: Promise<string> | undefined;
  const get = (): Promise<string> => (cached ??= load(log));
  await taskGroup(async (group) => {
    const owner = group.createTask(async () => {
      await get();
    });
    group.createTask(async () => {
      try {
        log(await get());
      } catch (error) {
        log(`another task sees ${nameOf(error)}, ours: ${isCancelled(error)}`);
      }
    });
    await turns(2);
    owner.cancel();
  });
}

export async function whoWaitsForAnothersPromise(log: Log): Promise<void> {
  const go = new Event();
  let promise: Promise<void> | undefined;
  const work = async (): Promise<void> => {
    await go.wait();
    log("the work ends");
  };
  const owner = createTask(async () => {
    promise = work();
    await promise;
  });
  await turns(1);
  await cancelScope(async (scope) => {
    setImmediate(() => scope.cancel());
    try {
      await promise;
    } finally {
      log("who waited for it ends");
    }
  });
  go.set();
  await owner;
}

export async function withAggregateOfCancellations(log: Log): Promise<void> {
  const any = async (): Promise<void> => {
    try {
      await Promise.any([load(log), load(log)]);
    } catch (error) {
      log(`${nameOf(error)}, ours: ${isCancelled(error)}`);
      throw error;
    }
  };
  const value = await cancelScope(async (scope) => {
    setImmediate(() => scope.cancel());
    await any();
    return "not returned";
  });
  log(`the scope gives ${value}`);
}

export async function withAggregateOfOtherErrors(log: Log): Promise<void> {
  const fails = async (): Promise<never> => {
    try {
      return await never();
    } catch (error) {
      throw new RangeError("not ours", { cause: error });
    }
  };
  try {
    await cancelScope(async (scope) => {
      setImmediate(() => scope.cancel());
      await Promise.any([load(log), fails()]);
    });
  } catch (error) {
    log(`${nameOf(error)}, ours: ${isCancelled(error)}`);
  }
}

export async function whoIsAwaitedByNobody(log: Log): Promise<void> {
  await cancelScope(async (scope) => {
    setImmediate(() => scope.cancel());
    void load(log);
    await never();
  });
  log("goes on");
}

export async function whoOutlivesItsScope(log: Log): Promise<void> {
  await cancelScope(async (outer) => {
    await moveOnAfter(1_000_000, async () => {
      void load(log);
      await turns(1);
      log("the inner scope ends");
    });
    setImmediate(() => outer.cancel());
    try {
      await never();
    } finally {
      log("the outer scope ends");
    }
  });
}

export async function whoOutlivesItsTask(log: Log): Promise<void> {
  await cancelScope(async (outer) => {
    setImmediate(() => setImmediate(() => outer.cancel()));
    try {
      await taskGroup(async (group) => {
        group.createTask(async () => {
          void load(log);
          await turns(0);
          log("the task ends");
        });
      });
      log("the group ends");
      await never();
    } finally {
      log("the scope ends");
    }
  });
}
