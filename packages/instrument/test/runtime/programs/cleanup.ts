import { cancelScope, isCancelled, shield, sleep } from "meanwhile";

import { type Log, nameOf, never, turns } from "./foreign.ts";

async function cancelledSoon(body: () => Promise<unknown>): Promise<void> {
  await cancelScope(async (scope) => {
    setImmediate(() => scope.cancel());
    await body();
  });
}

async function close(log: Log): Promise<void> {
  await turns(1);
  log("half closed");
  await turns(1);
  log("closed");
}

export async function inFinally(log: Log): Promise<void> {
  await cancelledSoon(async () => {
    try {
      await never();
    } finally {
      await close(log);
      await turns(1);
      log("finally ends");
    }
  });
}

export async function inCatch(log: Log): Promise<void> {
  await cancelledSoon(async () => {
    try {
      await never();
    } catch (error) {
      await close(log);
      log("rethrows");
      throw error;
    }
  });
}

export async function inDisposer(log: Log): Promise<void> {
  class Connection implements AsyncDisposable {
    async [Symbol.asyncDispose](): Promise<void> {
      await close(log);
    }
  }
  await cancelledSoon(async () => {
    await using first = new Connection();
    await using second = new Connection();
    await never();
    log(`not reached: ${String(first === second)}`);
  });
}

export async function whenCancelledDuringIt(log: Log): Promise<void> {
  await cancelledSoon(async () => {
    try {
      await Promise.reject(new RangeError("of the body"));
    } catch (error) {
      log(nameOf(error));
      await turns(3);
      log("handled");
    }
    await never();
  });
}

export async function withOwnWaits(log: Log): Promise<void> {
  await cancelledSoon(async () => {
    try {
      await never();
    } finally {
      try {
        await sleep(1);
        log("not reached");
      } catch (error) {
        log(`an own wait throws ${nameOf(error)}`);
      }
      await shield(() => sleep(1));
      log("shielded it does not");
    }
  });
}

export async function afterSwallowing(log: Log): Promise<void> {
  await cancelledSoon(async () => {
    try {
      await never();
    } catch (error) {
      log(`swallows ${nameOf(error)}`);
    }
    await turns(1);
    log("not reached");
  });
}

export async function thatTakesTooLong(log: Log): Promise<void> {
  const shut = async (): Promise<void> => {
    try {
      await never();
    } catch (error) {
      log(`the cleanup sees ${nameOf(error)}, ours: ${isCancelled(error)}`);
      throw error;
    }
  };
  await cancelledSoon(async () => {
    try {
      await never();
    } finally {
      try {
        await shut();
      } finally {
        log("the cleanup ends");
        try {
          await turns(1);
          log("not reached");
        } catch (error) {
          log(`later: ${nameOf(error)}`);
        }
      }
    }
  });
}

export async function thatTakesTooLongInShield(log: Log): Promise<void> {
  await cancelledSoon(async () => {
    try {
      await never();
    } finally {
      await shield(() => new Promise<void>((resolve) => setTimeout(resolve, 10)));
      log("the shield ends");
    }
  });
}

export async function cancelledTwice(log: Log): Promise<void> {
  await cancelScope(async (outer) => {
    await cancelScope(async (inner) => {
      setImmediate(() => {
        inner.cancel();
        setImmediate(() => outer.cancel());
      });
      try {
        await never();
      } finally {
        await turns(4);
        log("cleaned up");
      }
    });
    log("not reached");
  });
}

export async function ofOrphanAfterItsScope(log: Log): Promise<void> {
  await cancelScope(async (outer) => {
    await cancelScope(async () => {
      const cleans = async (): Promise<void> => {
        try {
          await Promise.reject(new RangeError("of the body"));
        } catch {
          await turns(5);
          log("the orphan has cleaned up");
          await never();
        }
      };
      void cleans();
      await turns(1);
    });
    log("the inner scope was left");
    setImmediate(() => outer.cancel());
    await never();
  });
  log("goes on");
}

class Pool {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  async end(): Promise<void> {
    await close(this.#log);
  }
}

/** However a resource says how it is disposed of: it is `await using` that makes it cleanup. */
export async function ofAwaitUsing(log: Log): Promise<void> {
  const end = async (): Promise<void> => {
    await close(log);
  };
  const shapes: ReadonlyArray<() => AsyncDisposable> = [
    () => new Pool(log),
    () => ({ [Symbol.asyncDispose]: end }),
    () => {
      const stack = new AsyncDisposableStack();
      stack.defer(async () => {
        await close(log);
      });
      stack.adopt(1, end);
      return stack;
    },
  ];
  for (const make of shapes) {
    await cancelledSoon(async () => {
      await using resource = make();
      await never();
      log(`not reached: ${typeof resource}`);
    });
    log("left");
  }
}

/** In the head of a loop there is a resource for each round. */
export async function ofLoopHeads(log: Log): Promise<void> {
  const rounds: ReadonlyArray<() => Promise<void>> = [
    async () => {
      for (await using pool of [new Pool(log)]) await neverOf(pool);
    },
    async () => {
      for await (await using pool of [new Pool(log)]) await neverOf(pool);
    },
  ];
  for (const round of rounds) {
    await cancelledSoon(round);
    log("left");
  }
}

async function neverOf(_pool: Pool): Promise<void> {
  await never();
}

/** Nothing is disposed of where the resource could not be made. */
export async function ofNoResource(log: Log): Promise<void> {
  const open = (): AsyncDisposable => {
    throw new RangeError("cannot be opened");
  };
  await cancelledSoon(async () => {
    try {
      await using resource = open();
      log(`not reached: ${typeof resource}`);
    } catch (error) {
      log(nameOf(error));
    }
    await turns(3);
    log("not reached");
  });
}

/** What comes after the cleanup of a block is no cleanup. */
export async function afterAwaitUsing(log: Log): Promise<void> {
  await cancelledSoon(async () => {
    try {
      await using pool = new Pool(log);
      log(typeof pool);
    } finally {
      log("the block is left");
    }
    await never();
    log("not reached");
  });
}
