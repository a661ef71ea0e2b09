// Hook points: everybody who listens is told, and nobody else pays.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { createTask, moveOnAfter, sleep } from "meanwhile";
import { addInstrument, type Instrument } from "meanwhile/lowlevel";
import { runTest } from "meanwhile/testing";

import { instruments } from "../../src/kernel/instruments.ts";

function recorder(seen: string[]): Required<Instrument> {
  return {
    taskCreated: ({ name }) => void seen.push(`created ${name}`),
    taskEnded: ({ name, state }) => void seen.push(`${state.kind} ${name}`),
    suspended: ({ target }) => void seen.push(`suspended in ${target.describe()}`),
    resumed: ({ target }) => void seen.push(`resumed from ${target.describe()}`),
    scopeOpened: () => undefined,
    scopeClosed: () => undefined,
    scopeCancelled: ({ cancelled }) => void seen.push(`cancelled: ${cancelled}`),
    checkpoint: ({ effective }) => void seen.push(`checkpoint${effective === null ? "" : ", cancelled"}`),
  };
}

describe("An instrument", () => {
  it("is told what happens to tasks, waits and scopes, until it is disposed", async () => {
    await runTest(async () => {
      const seen: string[] = [];
      {
        using instrument = addInstrument(recorder(seen));
        assert.ok(instrument);
        await createTask(() => moveOnAfter(1, () => sleep(2)), { name: "sleeper" });
      }
      await createTask(() => sleep(1), { name: "unseen" });
      const ofTasks = seen.filter((one) => !one.endsWith("the end of a run inside it"));
      assert.deepEqual(ofTasks, [
        "created sleeper",
        "checkpoint",
        "suspended in sleep",
        "checkpoint",
        'suspended in task "sleeper"',
        "cancelled: true",
        "resumed from sleep",
        'resumed from task "sleeper"',
        "succeeded sleeper",
      ]);
    });
  });

  it("needs only the hooks it wants, beside others", async () => {
    const [first, second]: [string[], string[]] = [[], []];
    {
      using one = addInstrument({ resumed: () => void first.push("resumed") });
      using two = addInstrument(recorder(second));
      using deaf = addInstrument({});
      assert.ok(one && two && deaf);
      await moveOnAfter(60_000, (scope) => {
        scope.cancel();
      });
      await sleep(0);
    }
    assert.deepEqual(first, ["resumed"]);
    assert.equal(second.length, 4);
  });

  it("costs one comparison when there is none", () => {
    assert.equal(instruments.active, null);
    addInstrument({})[Symbol.dispose]();
    assert.equal(instruments.active, null);
  });
});
