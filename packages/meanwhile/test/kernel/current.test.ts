// Which scope the running code is in, whatever started it.

import assert from "node:assert/strict";
import { AsyncResource } from "node:async_hooks";
import { describe, it } from "node:test";

import { cancelScope, createTask, currentScope, currentTask, isCancelled, sleep, taskGroup } from "meanwhile";
import { adoptContextless, currentScopeNode } from "meanwhile/lowlevel";
import { runTest } from "meanwhile/testing";

import { refuseSecondCopy } from "../../src/kernel/current.ts";
import { caught } from "./caught.ts";

const HERE = new AsyncResource("test");

describe("The current scope", () => {
  it("follows timers, microtasks and promises", async () => {
    await cancelScope(async (scope) => {
      const seen: unknown[] = [];
      await new Promise<void>((resolve) =>
        setTimeout(() => {
          seen.push(currentScope());
          queueMicrotask(() => {
            seen.push(currentScope());
            resolve();
          });
        }, 1),
      );
      assert.deepEqual(
        seen.map((one) => one === scope),
        [true, true],
      );
    });
  });

  it("is that of code without a context for as long as it is adopted", async () => {
    // Made at the start of the process, so what it calls has no context.
    const withoutContext = <T>(callback: () => T): Promise<T> =>
      new Promise((resolve) => {
        HERE.runInAsyncScope(() => setImmediate(() => resolve(callback())));
      });
    await cancelScope(async () => {
      const scope = currentScopeNode();
      const adopted = adoptContextless(scope);
      assert.equal(await withoutContext(currentScopeNode), scope);
      adopted[Symbol.dispose]();
      assert.notEqual(await withoutContext(currentScopeNode), scope);
    });
  });

  it("does not leak into the caller of an async function", async () => {
    await cancelScope(async (outer) => {
      const inside = cancelScope(() => sleep(1));
      assert.equal(currentScope(), outer);
      await inside;
      assert.equal(currentScope(), outer);
    });
  });

  it("is another one in each task", async () => {
    await runTest(async () => {
      const main = currentTask();
      const task = createTask(async () => {
        await sleep(1);
        return currentTask();
      });
      assert.equal((await caught(task.then((inside) => assert.notEqual(inside, task)))) instanceof Error, true);
      assert.equal(currentTask(), main);
    });
  });

  it("of code that outlives its scope is the nearest one around that is alive", async () => {
    await cancelScope(async (outer) => {
      let late: Promise<unknown> | undefined;
      await cancelScope(() =>
        cancelScope(() => {
          late = sleep(1).then(() => currentScope());
        }),
      );
      assert.equal(await late, outer);
    });
  });

  it("outside of everything is never cancelled", () => {
    assert.equal(currentScopeNode().effective, null);
    assert.throws(() => currentScope(), { code: "MW_ERR_OUTSIDE_RUN" });
  });
});

describe("A second copy of the kernel", () => {
  it("refuses to load beside the first, naming both", () => {
    assert.throws(() => refuseSecondCopy("file:///elsewhere/meanwhile/current.js"), {
      code: "MW_ERR_TWO_COPIES",
      message: /^Cannot load meanwhile twice: file:.*current\.ts and file:\/\/\/elsewhere.*; install one version/,
    });
  });

  it("is not the same file loaded again, as test tools do", () => {
    refuseSecondCopy(`${new URL("../../src/kernel/current.ts", import.meta.url).href}?again#1`);
  });
});

describe("A task of a group", () => {
  it("can be cancelled by the scope it finds itself in", async () => {
    const ended = await taskGroup(async (group) => {
      const task = group.createTask(async () => {
        currentScope().cancel();
        return caught(sleep(1));
      });
      return task.then(isCancelled);
    });
    assert.equal(ended, false); // told in the body, which is not cancelled
  });
});
