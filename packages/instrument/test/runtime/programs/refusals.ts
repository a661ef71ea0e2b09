import { cancelScope, createTask, currentScope, isCancelled, shield, sleep } from "meanwhile";

import { type Log, nameOf, never, turns } from "./foreign.ts";

/** Runs a body in a scope that is cancelled already. */
async function cancelled(body: () => Promise<unknown>): Promise<void> {
  await cancelScope(async (scope) => {
    scope.cancel();
    await body();
  });
}

export async function shields(log: Log): Promise<void> {
  await cancelled(async () => {
    const value = await shield(async () => {
      await turns(2);
      return "from the shield";
    });
    log(value);
    await never();
  });
  log("goes on");
}

export async function shieldsInPromiseAll(log: Log): Promise<void> {
  const save = async (name: string): Promise<string> => {
    await turns(1);
    return name;
  };
  await cancelled(async () => {
    log(String(await Promise.all([shield(() => save("a")), shield(() => save("b"))])));
    log(`not reached${String(await Promise.resolve())}`);
  });
}

export async function loopsAndCatches(log: Log): Promise<void> {
  await cancelled(async () => {
    const over = { is: false };
    let rounds = 0;
    setTimeout(() => {
      over.is = true;
    }, 1);
    while (!over.is || rounds < 2) {
      try {
        await Promise.resolve(++rounds);
        log("not reached");
      } catch (error) {
        if (!isCancelled(error)) throw error;
      }
    }
    log(`timers run`);
  });
}

export async function loopsAroundTask(log: Log): Promise<void> {
  const task = createTask(() => turns(20));
  await cancelled(async () => {
    const over = { is: false };
    setTimeout(() => {
      over.is = true;
    }, 1);
    while (!over.is) {
      try {
        await task;
        log("not reached");
      } catch (error) {
        if (!isCancelled(error)) throw error;
      }
    }
    log("timers run");
  });
  await task;
}

export async function dropsValuesAndErrors(log: Log): Promise<void> {
  const fails = (): Promise<never> => Promise.reject(new RangeError("dropped"));
  const failsLater = (): Promise<never> =>
    turns(2).then(() => {
      throw new RangeError("dropped");
    });
  for (const make of [() => Promise.resolve("value"), fails, failsLater, () => "no promise"]) {
    await cancelled(async () => {
      try {
        await make();
        log("not reached");
      } catch (error) {
        log(nameOf(error));
        throw error;
      }
    });
  }
  await turns(3);
}

export async function callsWhatWaits(log: Log): Promise<void> {
  const child = async (): Promise<void> => {
    log("child begins");
    try {
      await turns(1);
      log("not reached");
    } finally {
      log("child ends");
    }
  };
  await cancelled(async () => {
    try {
      await child();
    } finally {
      log("parent ends");
    }
  });
}

export async function callsWhatDoesNotWait(log: Log): Promise<void> {
  const child = async (): Promise<string> => {
    if (currentScope().cancelled) return "child does not wait";
    return await never();
  };
  await cancelled(async () => {
    log(
      await child()
        .then(log, log)
        .then(() => "not reached"),
    );
  });
}

export async function cancelsItselfBeforeItWaits(log: Log): Promise<void> {
  await cancelScope(async (scope) => {
    const waiting = sleep(1_000_000);
    scope.cancel();
    try {
      await waiting;
    } finally {
      log("ends");
    }
  });
}

export async function awaitsThenable(log: Log): Promise<void> {
  const thenable = {
    // oxlint-disable-next-line unicorn/no-thenable -- what is tested
    then(resolve: (value: string) => void): void {
      log("then is called");
      resolve("value");
    },
  };
  log(await thenable);
  // oxlint-disable-next-line unicorn/no-thenable -- what is tested
  log(JSON.stringify(await { then: 1 }));
  await cancelled(async () => {
    log(await thenable);
  });
}
