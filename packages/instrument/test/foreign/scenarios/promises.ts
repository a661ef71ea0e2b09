// Combinators of the language and by hand over functions that clean up.

import { setImmediate as turn } from "node:timers/promises";

import type { Activity } from "../activity.ts";
import type { Scenario } from "../driver.ts";
import type { World } from "../world.ts";

async function work(around: Activity, name: string, turns: number, mayOutlive = false): Promise<string> {
  const me = around.begins(name, { mayOutlive });
  try {
    for (let left = turns; left > 0; left -= 1) await turn();
    return name;
  } finally {
    me.cleansUp();
    await turn();
    await turn();
    me.ends();
  }
}

async function failing(around: Activity): Promise<never> {
  const me = around.begins("failing");
  try {
    await turn();
    throw new RangeError("on purpose");
  } finally {
    me.cleansUp();
    await turn();
    me.ends();
  }
}

async function within<T>(around: Activity, name: string, body: (me: Activity) => Promise<T>): Promise<T> {
  const me = around.begins(name);
  try {
    return await body(me);
  } finally {
    me.cleansUp();
    await turn();
    me.ends();
  }
}

function over<T>(name: string, body: (me: Activity) => Promise<T>): Scenario {
  return { run: ({ root }: World) => within(root, name, body) };
}

/** Like `Promise.all`, over constructors and `then`. */
function allByHand<T>(promises: ReadonlyArray<Promise<T>>): Promise<T[]> {
  return new Promise((resolve, reject) => {
    const values: T[] = [];
    let missing = promises.length;
    for (const [index, promise] of promises.entries()) {
      promise.then((value) => {
        values[index] = value;
        missing -= 1;
        if (missing === 0) resolve(values);
      }, reject);
    }
  });
}

/** Takes the next that is ready, and so on. */
async function* asReady<T>(promises: readonly Promise<T>[]): AsyncGenerator<T, void> {
  const left = new Map(promises.map((promise, index) => [index, promise.then((value) => ({ index, value }))]));
  while (left.size > 0) {
    const { index, value } = await Promise.race(left.values());
    left.delete(index);
    yield value;
  }
}

class Connection implements AsyncDisposable {
  readonly #me: Activity;

  constructor(around: Activity) {
    this.#me = around.begins("a connection");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#me.cleansUp();
    await turn();
    this.#me.ends();
  }
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  "Promise.all": over("all", (me) => Promise.all([work(me, "a", 3), work(me, "b", 1), work(me, "c", 2)])),
  "Promise.all, one of which fails": over("all", async (me) => {
    const parts = [work(me, "a", 3), failing(me), work(me, "b", 2)];
    try {
      return await Promise.all(parts);
    } catch (error) {
      const outcomes = await Promise.allSettled(parts);
      if (!(error instanceof RangeError)) throw error;
      return outcomes.map(({ status }) => status);
    }
  }),
  "Promise.race, whose losers go on": over("race", (me) =>
    Promise.race([work(me, "a", 4, true), work(me, "b", 1, true)]),
  ),
  "Promise.any": {
    // What `failing` throws is more than a cancellation, beside the others.
    mayFail: true,
    ...over("any", async (me) => {
      const parts = [failing(me), work(me, "a", 3), work(me, "b", 2)];
      try {
        return await Promise.any(parts);
      } finally {
        await Promise.allSettled(parts);
      }
    }),
  },
  "Promise.allSettled": over("allSettled", async (me) => {
    const outcomes = await Promise.allSettled([work(me, "a", 1), failing(me), work(me, "b", 3)]);
    await turn();
    return outcomes.map(({ status }) => status);
  }),
  "a combinator made by hand": over("by hand", (me) => allByHand([work(me, "a", 3), work(me, "b", 1)])),
  "a generator over what is ready": over("as ready", async (me) => {
    const values: string[] = [];
    for await (const value of asReady([work(me, "a", 3), work(me, "b", 1)])) {
      values.push(value);
      await turn();
    }
    return values;
  }),
  "combinators in combinators": over("outer", (me) =>
    Promise.all([
      within(me, "left", (left) => Promise.all([work(left, "a", 2), work(left, "b", 3)])),
      within(me, "right", (right) => Promise.all([work(right, "c", 1), work(right, "d", 2)])),
    ]),
  ),
  "promises that are awaited later": over("later", async (me) => {
    const first = work(me, "a", 3);
    const second = work(me, "b", 1);
    await turn();
    return [await first, await second];
  }),
  "a promise that never settles, beside one that does": over("never", (me) =>
    Promise.race([new Promise<never>(() => {}), work(me, "a", 3)]),
  ),
  "a promise that never settles": {
    isEndless: true,
    run: ({ root }) => within(root, "never", async () => await new Promise<never>(() => {})),
  },
  "promises that never settle, in a combinator": {
    isEndless: true,
    run: ({ root }) =>
      within(root, "all", (me) =>
        Promise.all([
          within(me, "a", async () => await new Promise<never>(() => {})),
          within(me, "b", async () => await new Promise<never>(() => {})),
        ]),
      ),
  },
  "then and catch by hand": over("chain", async (me) => {
    const value = await work(me, "a", 1)
      .then((first) => work(me, `${first}, then b`, 1))
      .then((second) => work(me, `${second}, then c`, 1))
      .catch((error: unknown) => {
        throw error;
      });
    return value;
  }),
  "blocks with await using": over("using", async (me) => {
    await using outer = new Connection(me);
    await turn();
    {
      await using inner = new Connection(me);
      await turn();
      if (inner === outer) throw new TypeError("not the same");
    }
    await turn();
    return "used";
  }),
  "retries by hand": over("retry", async (me) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return attempt < 3 ? await failing(me) : await work(me, "a", 1);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        await turn();
      }
    }
  }),
};
