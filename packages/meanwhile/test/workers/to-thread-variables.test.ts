import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { run } from "meanwhile";
import { toThread, WorkerError } from "meanwhile/workers";

const settings = { step: 2 };
let counter = 0;

/** As it is in the workers of browsers. */
declare const importScripts: (url: string) => void;

/** What a call in a run fails with. */
async function failureOf(job: () => Promise<unknown>): Promise<WorkerError> {
  const error: unknown = await run(job).then(
    (value) => assert.fail(`nothing was thrown, it returned ${String(value)}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof WorkerError, String(error));
  return error;
}

describe("a variable around a function given to toThread", () => {
  it("is found however it is used", async () => {
    const uses: ReadonlyArray<readonly [string, () => unknown]> = [
      ["settings", () => settings.step],
      ["settings", () => typeof settings],
      [
        "settings",
        () => {
          try {
            return settings.step;
          } catch {
            return "caught";
          }
        },
      ],
      ["settings", async () => await Promise.resolve().then(() => settings)],
      ["counter", () => ++counter],
      [
        "counter",
        () => {
          counter = 1;
        },
      ],
    ];
    for (const [name, fn] of uses) {
      const error = await failureOf(() => toThread(fn));
      assert.equal(error.code, "MW_ERR_WORKER_CAPTURED", fn.toString());
      assert.match(error.message, new RegExp(`it uses "${name}", which is not part of it`));
    }
  });

  it("does not harm the calls that come after", async () => {
    await run(async () => {
      const read = (isWanted: boolean): unknown => isWanted && settings;
      await assert.rejects(() => toThread(read, true), { code: "MW_ERR_WORKER_CAPTURED" });
      assert.equal(await toThread(read, false), false);
    });
  });

  it("may be one of another host, if only its type is asked for", async () => {
    assert.equal(await run(() => toThread(() => typeof importScripts)), "undefined");
    const error = await failureOf(() => toThread(() => importScripts("math.js")));
    assert.match(error.message, /it uses "importScripts"/);
  });
});

describe("what is no variable around a function given to toThread", () => {
  it("is there: globals of the language and of the host, what the function has made itself, its own name", async () => {
    await run(async () => {
      const kinds = await toThread(() => {
        Reflect.set(globalThis, "madeHere", 3);
        return [
          typeof Math,
          typeof structuredClone,
          typeof process,
          NaN,
          undefined,
          Reflect.get(globalThis, "madeHere"),
        ];
      });
      assert.deepEqual(kinds, ["object", "function", "object", NaN, undefined, 3]);
      const sum = await toThread(function add(n: number): number {
        return n === 0 ? 0 : n + add(n - 1);
      }, 4);
      assert.equal(sum, 10);
    });
  });

  it("is as fast as elsewhere", async () => {
    const roots = (): number => {
      let sum = 0;
      for (let n = 0; n < 2_000_000; n++) sum += Math.sqrt(n);
      return sum;
    };
    // A lookup through the Proxy takes 50 times as long as the whole loop.
    const ms = await run(() =>
      toThread(async (text: string) => {
        const { runInThisContext } = await import("node:vm");
        const loop = runInThisContext(`(${text})`) as () => number;
        const start = performance.now();
        loop();
        return performance.now() - start;
      }, roots.toString()),
    );
    const own = await run(async () => {
      const start = performance.now();
      await toThread(roots);
      return performance.now() - start;
    });
    assert.ok(own < 20 * ms + 3_000, `${own} ms, elsewhere ${ms} ms`);
  });
});

describe("a function whose text does not stand for itself", () => {
  it("is refused with the reason", async () => {
    const arrow = function (): () => number {
      return () => arguments.length;
    };
    const rows: ReadonlyArray<readonly [() => unknown, RegExp]> = [
      [() => import.meta.url, /uses 'import\.meta', which belongs to its module/],
      [arrow(), /uses the 'arguments' of the function around it/],
    ];
    for (const [fn, text] of rows) {
      const error = await failureOf(() => toThread(fn));
      assert.equal(error.code, "MW_ERR_WORKER_INVALID_ARGUMENT");
      assert.match(error.message, text);
    }
    const own = function (..._numbers: number[]): number {
      return arguments.length;
    };
    assert.equal(await run(() => toThread(own, 1, 2)), 2);
  });
});
