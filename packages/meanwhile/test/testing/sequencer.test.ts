// Sequencer: blocks of several tasks in the order of their numbers.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { createTask, gather, moveOnAfter, sleep } from "meanwhile";
import { assertCheckpoints, exploreSchedules, runTest, Sequencer, torture, waitUntilIdle } from "meanwhile/testing";

import { errorOf } from "../util/outcomes.ts";

describe("Sequencer", () => {
  it("runs the blocks in the order of their numbers, under every schedule", async () => {
    await exploreSchedules(async () => {
      const sequencer = new Sequencer();
      const order: number[] = [];
      const block = (turn: number) => async (): Promise<void> => {
        using _ = await sequencer.at(turn);
        order.push(turn);
        await sleep(1);
        order.push(turn);
      };
      await gather([3, 1, 0, 4, 2].map(block));
      assert.deepEqual(order, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    });
  });

  it("goes on when a block is left, also by an error, and once", async () => {
    await runTest(async () => {
      const sequencer = new Sequencer();
      const first = await sequencer.at(0);
      await using second = createTask(() => sequencer.at(1));
      await using third = createTask(() => sequencer.at(2));
      await waitUntilIdle();
      assert.deepEqual([second.done, third.done], [false, false]);
      first[Symbol.dispose]();
      first[Symbol.dispose]();
      const turn = await second;
      assert.equal(third.done, false);
      await assert.rejects(async () => {
        using _ = turn;
        await Promise.reject(new Error("in the block"));
      });
      await third;
    });
  });

  it("is a checkpoint also when the turn has come", async () => {
    await runTest(() => assertCheckpoints(() => new Sequencer().at(0)));
  });

  it("lets a turn be taken by somebody else when the one who waited was cancelled", async () => {
    await runTest(async () => {
      const sequencer = new Sequencer();
      assert.equal(await moveOnAfter(1, () => sequencer.at(1)), undefined);
      const first = await sequencer.at(0);
      first[Symbol.dispose]();
      using _ = await sequencer.at(1);
    });
  });

  it("loses no turn wherever it is cancelled", async () => {
    await torture({
      setup: () => new Sequencer(),
      run: async (sequencer) => {
        const take = (turn: number) => async (): Promise<void> => {
          using _ = await sequencer.at(turn);
          await sleep(1);
        };
        await gather([take(1), take(0), take(2)]);
      },
      check: async (sequencer) => {
        // Whoever was in a turn has left it: the first one that was not taken can be.
        for (let turn = 0; ; turn++) {
          try {
            using _ = await sequencer.at(turn);
            return;
          } catch (error) {
            assert.equal((error as { code?: string }).code, "MW_ERR_TURN_TAKEN");
          }
        }
      },
    });
  });

  it("refuses a turn that was taken", async () => {
    await runTest(async () => {
      const sequencer = new Sequencer();
      const code = "MW_ERR_TURN_TAKEN";
      await using waiting = createTask(() => sequencer.at(2));
      await waitUntilIdle();
      await assert.rejects(sequencer.at(2), { code }, "somebody waits for it");
      using first = await sequencer.at(0);
      await assert.rejects(sequencer.at(0), { code }, "somebody is in it");
      first[Symbol.dispose]();
      await assert.rejects(sequencer.at(0), { code }, "somebody has left it");
      assert.equal(waiting.done, false);
      using second = await sequencer.at(1);
      second[Symbol.dispose]();
      await assert.rejects(sequencer.at(2), { code }, "who waited is in it");
    });
  });

  it("refuses what is no turn", async () => {
    for (const turn of [-1, 0.5, Number.NaN, "1" as never]) {
      await assert.rejects(new Sequencer().at(turn), { code: "MW_ERR_INVALID_ARGUMENT" });
    }
  });

  it("says in the report of a deadlock whose turn it is", async () => {
    const error = await errorOf(runTest(() => new Sequencer().at(7)));
    assert.equal(error.code, "MW_ERR_DEADLOCK");
    assert.match(error.message, /turn 7 of a Sequencer \(it is turn 0\)/);
  });
});
