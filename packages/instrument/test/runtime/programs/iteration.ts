import { Readable } from "node:stream";

import { cancelScope, createTask, Event, isCancelled, Queue, taskGroup } from "meanwhile";

import { foreignNumbers, type Log, nameOf, never, turns } from "./foreign.ts";

async function cancelledSoon(body: () => Promise<unknown>): Promise<void> {
  await cancelScope(async (scope) => {
    const next = (left: number): void => (left === 0 ? scope.cancel() : void setImmediate(next, left - 1));
    next(5);
    await body();
  });
}

async function* numbers(log: Log, count: number): AsyncGenerator<number, string> {
  try {
    for (let number = 1; number <= count; number += 1) {
      await turns(0);
      yield number;
    }
    await never();
  } finally {
    log("generator cleans up");
    await turns(1);
    log("generator ends");
  }
  return "never returned";
}

async function consume(log: Log, source: AsyncIterable<unknown> | Iterable<unknown>): Promise<void> {
  try {
    for await (const item of source) log(`item ${String(item)}`);
    log("the loop ends");
  } catch (error) {
    log(`the loop throws ${nameOf(error)}, ours: ${isCancelled(error)}`);
    throw error;
  } finally {
    log("consumer ends");
  }
}

export function overGenerator(log: Log): Promise<void> {
  return cancelledSoon(() => consume(log, numbers(log, 2)));
}

export async function foreignGenerator(log: Log): Promise<void> {
  await cancelledSoon(() => consume(log, foreignNumbers(log, 2)));
}

export async function iteratorByHand(log: Log): Promise<void> {
  let count = 0;
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next() {
        count += 1;
        return count < 3 ? Promise.resolve({ done: false, value: count }) : never();
      },
      return() {
        log("return is called");
        return never();
      },
    }),
  };
  await cancelledSoon(() => consume(log, source));
  await turns(1);
}

export async function iteratorWithoutReturn(log: Log): Promise<void> {
  const source: AsyncIterable<number> = { [Symbol.asyncIterator]: () => ({ next: never }) };
  await cancelledSoon(() => consume(log, source));
}

export async function iteratorThatFailsToClose(log: Log): Promise<void> {
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: never,
      return() {
        log("return is called");
        return Promise.reject(new RangeError("cannot close"));
      },
    }),
  };
  await cancelledSoon(() => consume(log, source));
  await turns(1);
}

export async function breaksWithoutReturn(log: Log): Promise<void> {
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: false, value: 1 }) }),
  };
  for await (const item of source) {
    log(`item ${item}`);
    break;
  }
  log("after the loop");
}

export async function iteratorThatCannotBeClosed(log: Log): Promise<void> {
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: never,
      return() {
        log("return is called");
        throw new RangeError("cannot close");
      },
    }),
  };
  await cancelledSoon(() => consume(log, source));
}

export async function stream(log: Log): Promise<void> {
  const source = new Readable({
    objectMode: true,
    read() {},
    destroy(error, done) {
      log(`destroyed with ${nameOf(error)}`);
      done(null);
    },
  });
  source.push("a");
  await cancelledSoon(() => consume(log, source));
  await turns(1);
  log(`destroyed: ${source.destroyed}`);
}

export async function promises(log: Log): Promise<void> {
  function* source(): Generator<unknown> {
    try {
      yield Promise.resolve("a");
      yield "b";
      yield never();
    } finally {
      log("the sync generator is closed");
    }
  }
  await cancelledSoon(() => consume(log, source()));
}

export async function promiseThatRejects(log: Log): Promise<void> {
  function* source(): Generator<unknown> {
    try {
      yield Promise.reject(new RangeError("an item"));
    } finally {
      log("the sync generator is closed");
    }
  }
  await consume(log, source()).catch((error: unknown) => log(nameOf(error)));
}

export async function whatCannotBeIterated(log: Log): Promise<void> {
  const bad: unknown[] = [
    null,
    undefined,
    1,
    {},
    { [Symbol.asyncIterator]: 1 },
    { [Symbol.asyncIterator]: () => 1 },
    { [Symbol.asyncIterator]: () => ({}) },
    { [Symbol.asyncIterator]: () => ({ next: () => 1 }) },
    { [Symbol.iterator]: () => ({ next: () => 1 }) },
    {
      [Symbol.iterator]: () => ({
        next() {
          throw new RangeError("next");
        },
      }),
    },
  ];
  for (const source of bad) {
    try {
      for await (const item of source as Iterable<unknown>) log(`item ${String(item)}`);
    } catch (error) {
      log(String(error));
    }
  }
}

export async function breaks(log: Log): Promise<void> {
  for await (const number of numbers(log, 3)) {
    log(`item ${number}`);
    if (number === 2) break;
  }
  log("after the loop");
  await cancelledSoon(async () => {
    for await (const number of numbers(log, 3)) {
      log(`item ${number}`);
      break;
    }
    // Not cleanup any more: the cancellation comes at once.
    await never();
  });
}

export async function throwsInBody(log: Log): Promise<void> {
  try {
    for await (const number of numbers(log, 3)) throw new RangeError(`item ${number}`);
  } catch (error) {
    log(`caught ${nameOf(error)}`);
    await turns(1);
  }
}

export async function cancelledInBody(log: Log): Promise<void> {
  await cancelledSoon(async () => {
    try {
      for await (const number of numbers(log, 3)) {
        log(`item ${number}`);
        await never();
      }
    } finally {
      log("consumer ends");
    }
  });
}

export async function cancelledWhileClosing(log: Log): Promise<void> {
  async function* slowToClose(): AsyncGenerator<number> {
    try {
      yield 1;
    } finally {
      await turns(8);
      log("generator ends");
    }
  }
  await cancelledSoon(async () => {
    try {
      for await (const number of slowToClose()) {
        log(`item ${number}`);
        break;
      }
      log("the loop ends");
      await turns(0);
      log("not reached");
    } finally {
      log("consumer ends");
    }
  });
}

export async function foreignIteratorCancelledWhileClosing(log: Log): Promise<void> {
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: false, value: 1 }),
      async return() {
        await turns(8);
        log("closed");
        return { done: true, value: undefined };
      },
    }),
  };
  await cancelledSoon(async () => {
    for await (const number of source) {
      log(`item ${number}`);
      break;
    }
    log("the loop ends");
    await turns(0);
    log("not reached");
  });
}

export async function delegates(log: Log): Promise<void> {
  async function* outer(): AsyncGenerator<number, void> {
    try {
      yield* numbers(log, 2);
    } finally {
      log("outer cleans up");
      await turns(2);
      log("outer ends");
    }
  }
  await cancelledSoon(() => consume(log, outer()));
}

export async function goesOnAfterDelegating(log: Log): Promise<void> {
  async function* two(): AsyncGenerator<number, string> {
    yield 1;
    yield 2;
    return "two";
  }
  async function* outer(): AsyncGenerator<unknown, void> {
    log(yield* two());
    yield* ["a", Promise.resolve("b")];
    try {
      await never();
    } finally {
      await turns(2);
      log("outer ends");
    }
  }
  await cancelledSoon(() => consume(log, outer()));
}

export async function delegatesToWhatCannot(log: Log): Promise<void> {
  const bad: unknown[] = [
    null,
    undefined,
    {},
    { [Symbol.asyncIterator]: () => 1 },
    { [Symbol.asyncIterator]: () => ({}) },
    { [Symbol.iterator]: () => ({ next: () => 1 }) },
  ];
  for (const source of bad) {
    const make = async function* (): AsyncGenerator {
      yield* source as Iterable<unknown>;
    };
    try {
      await make().next();
    } catch (error) {
      log(String(error));
    }
  }
}

export async function delegatesReturnAndThrow(log: Log): Promise<void> {
  async function* inner(): AsyncGenerator<number, void> {
    try {
      yield 1;
    } catch (error) {
      log(`inner sees ${nameOf(error)}`);
      yield 2;
    } finally {
      await turns(0);
      log("inner ends");
    }
  }
  async function* outer(source: AsyncIterable<number>): AsyncGenerator<number, void> {
    try {
      yield* source;
    } finally {
      log("outer ends");
    }
  }
  const generator = outer(inner());
  log(JSON.stringify(await generator.next()));
  log(JSON.stringify(await generator.throw(new RangeError("sent"))));
  log(JSON.stringify(await generator.return(undefined)));
  const bare: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: false, value: 1 }) }),
  };
  for (const end of ["return", "throw"] as const) {
    const delegating = outer(bare);
    await delegating.next();
    await delegating[end](new RangeError("sent")).then(
      (answer) => log(JSON.stringify(answer)),
      (error: unknown) => log(String(error)),
    );
  }
}

export async function yieldsPromises(log: Log): Promise<void> {
  async function* source(): AsyncGenerator<unknown, string> {
    yield Promise.resolve("a");
    yield turns(1).then(() => "b");
    try {
      yield Promise.reject(new RangeError("yielded"));
    } catch (error) {
      log(`generator sees ${nameOf(error)}`);
    }
    const sent: unknown = yield;
    log(`sent ${String(sent)}`);
    return Promise.resolve("c");
  }
  await consume(log, source());
  await cancelledSoon(() =>
    consume(
      log,
      (async function* () {
        try {
          yield never();
        } finally {
          await turns(1);
          log("generator ends");
        }
      })(),
    ),
  );
}

export async function resumedByAnotherTask(log: Log): Promise<void> {
  const go = new Event();
  async function* source(): AsyncGenerator<number, void> {
    yield 1;
    try {
      await never();
    } finally {
      await turns(1);
      log("generator ends");
    }
  }
  const items = source();
  await createTask(async () => {
    log(`first task: ${JSON.stringify(await items.next())}`);
  });
  await taskGroup(async (group) => {
    const second = group.createTask(async () => {
      go.set();
      try {
        await items.next();
      } finally {
        log("second task ends");
      }
    });
    await go.wait();
    await turns(1);
    second.cancel();
  });
}

export async function closedAtYield(log: Log): Promise<void> {
  async function* source(): AsyncGenerator<number, void> {
    void turns(1).then(() => log("late"));
    yield 1;
    yield 2;
  }
  const items = source();
  await items.next();
  log(JSON.stringify(await items.return(undefined)));
  const unstarted = source();
  log(JSON.stringify(await unstarted.return(undefined)));
  await turns(2);
}

export async function queueAndOwnIterators(log: Log): Promise<void> {
  const queue = new Queue<number>({ maxSize: 10 });
  queue.tryPut(1);
  queue.tryPut(2);
  await cancelledSoon(async () => {
    try {
      for (;;) log(`item ${await queue.get()}`);
    } finally {
      log("consumer ends");
    }
  });
}

export async function interruptedInBodyOfOwnIterator(log: Log): Promise<void> {
  const go = new Event();
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => go.wait().then(() => ({ done: false, value: 1 })),
      return() {
        log("return is called");
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  go.set();
  await cancelledSoon(async () => {
    for await (const item of source) {
      log(`item ${item}`);
      await never();
    }
  });
}
