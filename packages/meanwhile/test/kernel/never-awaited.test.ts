// Coroutines that are forgotten: reported once, with the line of the call; never one that somebody took.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";

import {
  any,
  cancelScope,
  type Coroutine,
  coroutine,
  createTask,
  gather,
  gatherSettled,
  race,
  run,
  sleep,
  sleepForever,
  taskGroup,
} from "meanwhile";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { caught } from "./caught.ts";

const CODE = "MW_WARN_NEVER_AWAITED";

const work = coroutine(async function work() {
  return "done";
});

function forget(..._forgotten: unknown[]): void {}

/** The text of the line that a warning names. */
function lineIn(message: string): string {
  const [, line = "0"] = /never-awaited\.test\.ts:(\d+):\d+/.exec(message) ?? [];
  const lines = readFileSync(import.meta.filename, "utf8").split("\n");
  return lines[Number(line) - 1]?.trim() ?? "";
}

describe("A forgotten coroutine", () => {
  it("is reported at the end of its run with function name, line of the call and remedy", async () => {
    await using warnings = expectWarning(CODE);
    await run(async () => {
      forget(work()); // forgotten here
    });
    const { message } = await warnings.first();
    assert.match(
      message,
      /^Coroutine "work" was never awaited, so it did not run: created at .*; write `await work\(\)`/,
    );
    assert.equal(lineIn(message), "forget(work()); // forgotten here");
  });

  it("is reported once, also after several turns and to whoever still holds it", async () => {
    await using warnings = expectWarning(CODE);
    let held: Coroutine<string> | undefined;
    await run(async () => {
      held = work();
      await sleep(0);
      await sleep(0);
    });
    await turn();
    await run(async () => {});
    await turn();
    assert.equal(warnings.seen.length, 1);
    assert.equal(await held, "done");
    await turn();
    assert.equal(warnings.seen.length, 1);
  });

  it("shows the stack of the call below the message", async () => {
    await using warnings = expectWarning(CODE);
    function caller(): void {
      forget(work());
    }
    await run(caller);
    const { detail } = (await warnings.first()) as Error & { detail: string };
    assert.match(detail, /^ +at caller \(.*never-awaited\.test\.ts/);
  });

  it("is reported with the line in the program, also if a built-in function made the call", async () => {
    await using warnings = expectWarning(CODE);
    await run(async () => {
      forget([1].map(work)); // in a loop
    });
    assert.equal(lineIn((await warnings.first()).message), "forget([1].map(work)); // in a loop");
  });

  it("is reported without a place if nothing of the program was on the stack", async () => {
    await using warnings = expectWarning(CODE);
    await run(async () => {
      const callback: () => unknown = work;
      queueMicrotask(callback);
      await sleep(0);
    });
    assert.match((await warnings.first()).message, /created at an unknown place/);
  });

  it("is not reported before background tasks were joined, for they may still start it", async () => {
    const started = await run(async () => {
      const held = work();
      const log: string[] = [];
      createTask(async () => {
        try {
          await sleepForever();
        } finally {
          log.push(await held);
        }
      });
      await sleep(0);
      return log;
    });
    assert.deepEqual(started, ["done"]);
  });

  it("is reported by the run it was created in, not by one that ends earlier", async () => {
    await using warnings = expectWarning(CODE);
    await run(async () => {
      const held = work();
      await run(async () => {});
      await turn();
      assert.equal(warnings.seen.length, 0);
      forget(held);
    });
    await turn();
    assert.equal(warnings.seen.length, 1);
  });

  it("is reported also by a run that fails", async () => {
    await using warnings = expectWarning(CODE);
    await caught(
      run(async () => {
        forget(work());
        throw new Error("no");
      }),
    );
    await warnings.first();
  });

  it("is not reported outside of a run while somebody holds it", async () => {
    const held = work();
    await turn();
    await run(async () => {});
    await turn();
    assert.equal(await held, "done");
  });

  it("is reported for each of many, and they do not hide one another", async () => {
    await using warnings = expectWarning(CODE);
    await run(async () => {
      for (let i = 0; i < 3_000; i++) {
        const one = work();
        if (i % 3 !== 0) await one;
      }
    });
    await turn();
    assert.equal(warnings.seen.length, 1_000);
  });
});

describe("A coroutine that somebody took is not reported", () => {
  // Each ends the given coroutine's story in another way; a warning would fail this file.
  const takers: Record<string, (taken: Coroutine<string>) => unknown> = {
    awaited: async (taken) => await taken,
    "calling then": (taken) => taken.then(),
    run: (taken) => run(taken),
    "run with a bad option": (taken) => caught(run(taken, { graceMs: -1 })),
    "run with a bad signal": (taken) => caught(run(taken, { signal: "now" as never })),
    "run in a cancelled scope": (taken) =>
      cancelScope(async (scope) => {
        scope.cancel();
        await caught(run(taken));
      }),
    createTask: (taken) => createTask(taken),
    "createTask, cancelled before it starts": (taken) => createTask(taken).cancel(),
    "group.createTask": (taken) => taskGroup((group) => void group.createTask(taken)),
    "group.createTask in a group that has ended": async (taken) => {
      const ended = await taskGroup((group) => [group]);
      assert.throws(() => ended?.[0]?.createTask(taken), { code: "MW_ERR_GROUP_CLOSED" });
    },
    gather: (taken) => gather([taken]),
    "gather in a cancelled scope": (taken) =>
      cancelScope(async (scope) => {
        scope.cancel();
        await caught(gather([taken]));
      }),
    "gather beside what is not a job": (taken) => caught(gather([5 as never, taken])),
    "gather behind one that fails": (taken) =>
      caught(gather([() => Promise.reject(new Error("no")), taken], { concurrency: 1 })),
    "gather with a bad signal": (taken) => caught(gather([taken], { signal: "now" as never })),
    gatherSettled: (taken) => gatherSettled([taken]),
    race: (taken) => race([taken, () => "first"]),
    any: (taken) => any([() => "first", taken]),
  };
  for (const [how, take] of Object.entries(takers)) {
    it(`by ${how}`, async () => {
      await run(async () => {
        await take(work());
      });
      await turn();
    });
  }

  it("by createTask outside of a run, which refuses", async () => {
    await using forgotten = expectWarning(CODE);
    assert.throws(() => createTask(work()), { code: "MW_ERR_OUTSIDE_RUN" });
    await run(() => forget(work()));
    await forgotten.first();
    assert.equal(forgotten.seen.length, 1);
  });
});
