// How code enters a scope, beside the AsyncLocalStorages of others. All of this holds where a scope is a frame of Node's
// context itself, and where it is a store like any other (Bun, Deno).

import assert from "node:assert/strict";
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { describe, it } from "node:test";

import { cancelScope, currentScope, gather, sleep, taskGroup } from "meanwhile";
import { CapturedContext, captureContext, currentScopeNode } from "meanwhile/lowlevel";
import { runTest } from "meanwhile/testing";

import { enteredScope, findFrameProperty, runInScope } from "../../src/kernel/context.ts";

const ON_NODE = process.versions["bun"] === undefined && process.versions["deno"] === undefined;

describe("captureContext", () => {
  it("runs callbacks in the scope, and in the user's AsyncLocalStorage, of the capture", async () => {
    const user = new AsyncLocalStorage<string>();
    await cancelScope(async (scope) => {
      const inContext = user.run("Ada", () => captureContext());
      await cancelScope(() => {
        assert.equal(
          inContext(() => currentScope()),
          scope,
        );
        assert.equal(
          inContext(() => user.getStore()),
          "Ada",
        );
      });
    });
  });
});

describe("A captured context", () => {
  const user = new AsyncLocalStorage<string>();
  const seen = (): unknown[] => [currentScope(), user.getStore()];

  it("runs callbacks inside a scope as if that had been entered where it was captured", async () => {
    await cancelScope(async (outer) => {
      await cancelScope((inner) => {
        user.run("Ada", () => {
          const inside = currentScopeNode();
          const context = user.run("Grace", () => new CapturedContext());
          assert.deepEqual(context.runInScope(inside, seen, undefined), [inner, "Grace"]);
          assert.deepEqual(context.run(seen), [inner, "Grace"]);
          assert.deepEqual(seen(), runInScope(inside, seen, undefined));
        });
      });
      assert.equal(currentScope(), outer);
    });
  });

  it("keeps what a callback enters from what comes after it", async () => {
    const context = user.run("Ada", () => new CapturedContext());
    context.run(() => user.enterWith("Grace"));
    assert.equal(
      context.run(() => user.getStore()),
      "Ada",
    );
    assert.equal(user.getStore(), undefined);
  });
});

describe("The AsyncLocalStorage of somebody else", () => {
  const user = new AsyncLocalStorage<string>();
  const second = new AsyncLocalStorage<number>();

  it("is seen in every task as where the task was started, and after each wait", () =>
    runTest(() =>
      user.run("Ada", async () => {
        const seen = async (): Promise<unknown> => {
          const before = user.getStore();
          await sleep(1);
          await Promise.resolve();
          return [before, user.getStore()];
        };
        assert.deepEqual(await gather([seen, () => user.run("Grace", seen)]), [
          ["Ada", "Ada"],
          ["Grace", "Grace"],
        ]);
        const inGroup = await taskGroup(async (group) => await second.run(2, () => group.createTask(seen)));
        assert.deepEqual(inGroup, ["Ada", "Ada"]);
        assert.equal(second.getStore(), undefined);
      }),
    ));

  it("does not hide the scope when it is entered or left inside of it", () =>
    cancelScope((scope) => {
      const here = (): boolean => currentScope() === scope;
      assert.deepEqual(user.run("Ada", here), true);
      assert.deepEqual(user.exit(here), true);
      assert.deepEqual(here(), true);
      user.enterWith("Grace");
      assert.deepEqual([here(), user.getStore()], [true, "Grace"]);
    }));

  it("keeps what was entered in a scope from tasks beside it", () =>
    runTest(async () => {
      const [, seen] = await gather([
        async () => {
          user.enterWith("Ada");
          await sleep(1);
          assert.equal(user.getStore(), "Ada");
        },
        async () => {
          await sleep(1);
          return user.getStore();
        },
      ]);
      assert.equal(seen, undefined);
    }));

  it("has its default value where nobody entered it, and in all scopes", () =>
    cancelScope(() => {
      const withDefault = new AsyncLocalStorage<string>({ defaultValue: "nobody" });
      assert.equal(withDefault.getStore(), "nobody");
    }));

  it("is restored by a snapshot, and so is the scope", () =>
    cancelScope(async (outer) => {
      const [snapshot, resource] = user.run("Ada", () => [AsyncLocalStorage.snapshot(), new AsyncResource("test")]);
      await cancelScope(() => {
        const seen = (): unknown => [currentScope() === outer, user.getStore()];
        assert.deepEqual(snapshot(seen), [true, "Ada"]);
        assert.deepEqual(resource.runInAsyncScope(seen), [true, "Ada"]);
      });
    }));

  it("can be disabled inside a scope, which stays", () =>
    cancelScope((scope) =>
      user.run("Ada", async () => {
        await cancelScope(() => {
          user.disable();
          assert.equal(user.getStore(), undefined);
        });
        assert.equal(currentScope(), scope);
      }),
    ));

  it("costs nothing in scopes nested ten thousand deep", async () => {
    const nest = async (depth: number): Promise<unknown> => {
      await Promise.resolve(); // the depth is that of the scopes, not of the stack
      return depth === 0 ? user.getStore() : cancelScope(() => nest(depth - 1));
    };
    assert.equal(await user.run("Ada", () => nest(10_000)), "Ada");
  });
});

describe("A scope", () => {
  it(`is ${ON_NODE ? "" : "not "}a frame of the context on this host`, () =>
    cancelScope(() => {
      const resource = new AsyncResource("test") as AsyncResource & Record<symbol, unknown>;
      const frames = Object.getOwnPropertySymbols(resource).map((key) => resource[key]);
      assert.equal(frames.includes(currentScopeNode()), ON_NODE);
    }));

  it("is entered where there is no frame around it", async () => {
    const user = new AsyncLocalStorage<string>();
    const resource = new AsyncResource("test") as AsyncResource & Record<symbol, unknown>;
    const name = Object.getOwnPropertySymbols(resource).find(({ description }) => description === "context_frame");
    if (name !== undefined) resource[name] = undefined;
    await resource.runInAsyncScope(() =>
      cancelScope(async (scope) => {
        await sleep(1);
        assert.equal(user.getStore(), undefined);
        user.run("Ada", () => assert.deepEqual([currentScope() === scope, user.getStore()], [true, "Ada"]));
        user.disable();
        assert.equal(currentScope(), scope);
      }),
    );
  });
});

describe("Where a scope cannot be a frame, it", () => {
  it("is entered as a store like any other", async () => {
    const user = new AsyncLocalStorage<string>();
    await cancelScope(async () => {
      const outer = currentScopeNode();
      await cancelScope(async () => {
        const inner = currentScopeNode();
        const seen = async (): Promise<unknown[]> => {
          await Promise.resolve();
          return [enteredScope() === outer, enteredScope() === inner, user.getStore()];
        };
        const asStore = user.run("Ada", () => new CapturedContext(null));
        const asEver = user.run("Ada", () => new CapturedContext());
        for (const context of [asStore, asEver]) {
          assert.deepEqual(await context.runInScope(outer, seen, undefined), [true, false, "Ada"]);
          assert.deepEqual(await context.run(seen), [false, true, "Ada"]);
        }
      });
    });
  });
});

describe("The name of the frame of a resource", { skip: !ON_NODE }, () => {
  const own = Object.getOwnPropertySymbols(new AsyncResource("test"));

  it("is found among Node's own", () => {
    assert.ok(own.includes(findFrameProperty(own) as symbol));
  });

  it("is not taken where resources keep no frame", () => {
    assert.equal(findFrameProperty([]), null);
    assert.equal(findFrameProperty(own.filter(({ description }) => description !== "context_frame")), null);
  });

  it("is not taken where something else goes by it", () => {
    assert.equal(findFrameProperty([Symbol("context_frame")]), null);
  });

  it("is not taken where another kind of frame is wanted", () => {
    const name = Symbol("context_frame");
    const set = (): never => {
      throw new TypeError("not a frame");
    };
    Object.defineProperty(AsyncResource.prototype, name, { set });
    assert.equal(findFrameProperty([name]), null);
  });
});
