// exploreSchedules: a test under many schedules.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cancellable, checkpoint, Event, gather, Lock, sleep } from "meanwhile";
import { exploreSchedules, type TestError } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";

async function lostUpdate(): Promise<number> {
  let total = 0;
  const add = async (): Promise<void> => {
    await checkpoint();
    const before = total;
    await checkpoint();
    total = before + 1;
  };
  await gather([add, add]);
  return total;
}

/** Whether each of many tasks that are woken together goes on before the next: only in some schedules. */
async function inOrder(): Promise<boolean> {
  const open = new Event();
  const order: number[] = [];
  await gather([
    ...[1, 2, 3].map((number) => async () => {
      await open.wait();
      order.push(number);
    }),
    async () => open.set(),
  ]);
  return order.join() === "1,2,3";
}

describe("exploreSchedules", () => {
  it("runs the test once under each seed and returns the values", async () => {
    const seeds = await exploreSchedules(async (seed) => seed, { schedules: 5, seed: 10 });
    assert.deepEqual(seeds, [10, 11, 12, 13, 14]);
    assert.equal((await exploreSchedules(async () => 1)).length, 100);
  });

  it("finds what only some schedules show", async () => {
    assert.deepEqual(new Set(await exploreSchedules(lostUpdate)), new Set([1, 2]));
  });

  it("stops at the first failure, whose error says the seed", async () => {
    const seen: number[] = [];
    const test = async (seed: number): Promise<void> => {
      seen.push(seed);
      assert.ok(await inOrder());
    };
    const error = (await errorOf(exploreSchedules(test))) as assert.AssertionError & { seed: number; replay: string };
    assert.ok(error instanceof assert.AssertionError);
    assert.equal(error.seed, seen.at(-1));
    assert.ok(seen.length < 100);
    assert.match(error.replay, new RegExp(`MEANWHILE_SEED=${error.seed}\\b`));
    const again = await errorOf(exploreSchedules(test, { schedules: 1, seed: error.seed }));
    assert.ok(again instanceof assert.AssertionError);
  });

  it("runs only the seed of the environment if there is one", async () => {
    process.env["MEANWHILE_SEED"] = "77";
    try {
      assert.deepEqual(await exploreSchedules(async (seed) => seed), [77]);
    } finally {
      delete process.env["MEANWHILE_SEED"];
    }
  });

  it("takes a test whose schedules repeat", async () => {
    const test = async (): Promise<void> => {
      const lock = new Lock();
      await gather(
        [1, 2, 3].map((ms) => async () => {
          using held = await lock.acquire();
          await sleep(ms);
          return typeof held;
        }),
      );
    };
    await exploreSchedules(test, { checkDeterminism: true });
  });

  it("shows the first event that differs when a schedule does not repeat", async () => {
    let runs = 0;
    const test = async (): Promise<void> => {
      runs += 1;
      await sleep(5);
      await sleep(runs);
    };
    const error = (await errorOf(exploreSchedules(test, { checkDeterminism: true, seed: 3 }))) as TestError;
    assert.equal(error.code, "MW_ERR_NOT_DETERMINISTIC");
    assert.match(
      error.message,
      /first run: {2}6 ms: .*has waited for sleep\nsecond run: 7 ms: .*has waited for sleep\n/,
    );
    assert.match(error.message, / {2}5 ms: task 1 goes on\n/);
    assert.equal((error as TestError & { seed: number }).seed, 3);
  });

  it("shows where one run is longer than the other, with the failure of the second as its cause", async () => {
    let runs = 0;
    const failure = new Error("only the second time");
    const test = async (): Promise<void> => {
      runs += 1;
      await sleep(1);
      if (runs === 2) throw failure;
    };
    const error = (await errorOf(exploreSchedules(test, { checkDeterminism: true }))) as TestError;
    assert.equal(error.code, "MW_ERR_NOT_DETERMINISTIC");
    assert.equal(error.cause, failure);
  });

  it("notices that real time decides", async () => {
    let ms = 4;
    const test = (): Promise<unknown> => {
      ms = 5 - ms;
      const wait = (real: number): Promise<void> => cancellable(new Promise((resolve) => setTimeout(resolve, real)));
      return gather([() => wait(ms), () => wait(5 - ms)]);
    };
    await assert.rejects(exploreSchedules(test, { checkDeterminism: true }), { code: "MW_ERR_NOT_DETERMINISTIC" });
  });

  it("refuses what it cannot run", async () => {
    const code = "MW_ERR_INVALID_ARGUMENT";
    await assert.rejects(exploreSchedules(Promise.resolve(1) as never), { code, message: /'test' is/ });
    for (const schedules of [0, 1.5, Infinity]) {
      await assert.rejects(
        exploreSchedules(async () => 1, { schedules }),
        { code, message: /'schedules'/ },
      );
    }
    await assert.rejects(
      exploreSchedules(async () => 1, { seed: -1 }),
      { code, message: /'seed'/ },
    );
    await assert.rejects(
      exploreSchedules(async () => 1, { timeoutMs: 0 }),
      { code, message: /'timeoutMs'/ },
    );
  });
});
