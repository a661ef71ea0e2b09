// Scopes: how a cancellation spreads, how long it lasts, and who takes over what is left when a scope ends.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  CancelledError,
  cancelScope,
  checkpoint,
  createTask,
  currentScope,
  Event,
  gather,
  isCancelled,
  Lock,
  moveOnAfter,
  now,
  run,
  shield,
  sleep,
  sleepForever,
  taskGroup,
  timeout,
} from "meanwhile";
import { ParkingLot, suspend, type Waiter } from "meanwhile/lowlevel";
import { runTest } from "meanwhile/testing";

import { caught } from "./caught.ts";

describe("A cancelled scope", () => {
  it("throws at every checkpoint again, after each catch, until it is left", async () => {
    const seen: boolean[] = [];
    await cancelScope(async (scope) => {
      scope.cancel("enough");
      for (let attempt = 0; attempt < 3; attempt++) {
        try {
          await sleep(1);
        } catch (error) {
          seen.push(isCancelled(error));
        }
      }
      seen.push(isCancelled(await caught(checkpoint())));
      seen.push(isCancelled(await caught(new Lock().acquire())));
      seen.push(isCancelled(await caught(gather([]))));
    });
    assert.deepEqual(seen, [true, true, true, true, true, true]);
    await checkpoint(); // left: nothing is thrown any more
  });

  it("interrupts what waits in it, also deep below", async () => {
    const interrupted: string[] = [];
    const waiting = async (name: string): Promise<void> => {
      try {
        await sleepForever();
      } finally {
        interrupted.push(name);
      }
    };
    await runTest(() =>
      cancelScope(async (scope) => {
        await taskGroup(async (group) => {
          group.createTask(() => waiting("task"));
          group.createTask(() => timeout(60_000, () => waiting("timeout in a task")));
          group.createTask(() => gather([() => waiting("job")]));
          group.createTask(async () => {
            await sleep(1);
            scope.cancel();
          });
          await waiting("body");
        });
      }),
    );
    assert.deepEqual(interrupted.toSorted(), ["body", "job", "task", "timeout in a task"]);
  });

  it("resumes a waiting parent only after its children have cleaned up", async () => {
    await runTest(async () => {
      const ended: string[] = [];
      const cleanUpFor = async (name: string, ms: number): Promise<void> => {
        try {
          await sleepForever();
        } finally {
          await shield(() => sleep(ms));
          ended.push(name);
        }
      };
      await moveOnAfter(1, async () => {
        try {
          await gather([
            () => cleanUpFor("slow child", 20),
            async () => {
              try {
                await taskGroup((group) => {
                  group.createTask(() => cleanUpFor("grandchild", 10));
                });
              } finally {
                ended.push("child");
              }
            },
          ]);
        } finally {
          ended.push("parent");
        }
      });
      assert.deepEqual(ended, ["grandchild", "child", "slow child", "parent"]);
      assert.equal(now(), 21);
    });
  });

  it("is cancelled once: a second cancel changes neither reason nor place", async () => {
    const error = await caught(
      timeout(1, async (scope) => {
        scope.cancel("first");
        scope.cancel("second");
        await checkpoint();
      }),
    );
    assert.ok(error instanceof CancelledError);
    assert.equal(error.reason, "first");
  });

  it("tells the reason and the place of the cancel call", async () => {
    function whoCancels(scope: { cancel(reason: unknown): void }): void {
      scope.cancel(new RangeError("too far"));
    }
    const error = await caught(
      timeout(1, async (scope) => {
        whoCancels(scope);
        await checkpoint();
      }),
    );
    assert.ok(error instanceof CancelledError);
    assert.equal(error.message, "Cancelled: too far");
    assert.match(error.cancelledAt ?? "", /whoCancels/);
    assert.equal(error.cause, error.reason);
  });

  it("makes one error for each waiter", async () => {
    const errors: unknown[] = [];
    await cancelScope(async (scope) => {
      const waits = [sleep(60_000), sleep(60_000), sleepForever()];
      const all = Promise.all(waits.map((wait) => caught(wait).then((error) => errors.push(error))));
      scope.cancel("one reason");
      await all;
    });
    assert.equal(new Set(errors).size, 3);
    assert.ok(errors.every((error) => error instanceof CancelledError && error.reason === "one reason"));
  });

  it("delivers a value handed over before it was cancelled, and throws at the next checkpoint", async () => {
    const lot = new ParkingLot<string>({ describe: () => "the test" });
    let received: string | undefined;
    const ending = await cancelScope(async (scope) => {
      queueMicrotask(() => {
        lot.unpark("a gift");
        scope.cancel();
      });
      received = await lot.park();
      await checkpoint();
      return "not reached";
    });
    assert.equal(received, "a gift");
    assert.equal(ending, undefined);
  });

  it("takes nothing when the cancellation comes first in the same tick", async () => {
    const lot = new ParkingLot<string>({ describe: () => "the test" });
    let given: boolean | undefined;
    await cancelScope(async (scope) => {
      queueMicrotask(() => {
        scope.cancel();
        given = lot.unpark("a gift");
      });
      assert.ok(isCancelled(await caught(lot.park())));
    });
    assert.equal(given, false);
  });

  it("does not cancel what lies behind a shield", async () => {
    const event = new Event();
    const value = await cancelScope((scope) =>
      shield(async () => {
        setTimeout(() => event.set(), 1);
        scope.cancel();
        await event.wait();
        return "finished";
      }),
    );
    assert.equal(value, "finished");
  });

  it("cancels what is started in it later", async () => {
    const reached: string[] = [];
    await cancelScope(async (scope) => {
      scope.cancel();
      await taskGroup(async (group) => {
        group.createTask(async () => {
          reached.push("task starts");
          await checkpoint();
          reached.push("task goes on");
        });
      });
    });
    assert.deepEqual(reached, ["task starts"]);
  });

  it("interrupts a wait that began while the cancellation was being delivered", async () => {
    const order: string[] = [];
    await cancelScope(async (outer) => {
      let second: Promise<unknown> | undefined;
      const first = caught(
        suspend<void>(() => () => {
          second = caught(sleepForever());
          order.push("abort function");
        }),
      );
      outer.cancel();
      await first;
      assert.ok(isCancelled(await second));
    });
    assert.deepEqual(order, ["abort function"]);
  });

  it("does not interrupt a wait that an earlier abort function ended", async () => {
    let asked = 0;
    const values = await cancelScope(async (scope) => {
      let second: Waiter<string> | undefined;
      const waits = [
        caught(suspend<void>(() => () => void second?.wake("just in time"))),
        suspend<string>((waiter) => {
          second = waiter;
          return () => void (asked += 1);
        }),
      ] as const;
      scope.cancel();
      return [isCancelled(await waits[0]), await waits[1]];
    });
    assert.deepEqual(values, [true, "just in time"]);
    assert.equal(asked, 0);
  });
});

describe("Two cancelled scopes, one in the other", () => {
  it("the outermost wins, whichever was cancelled first", async () => {
    for (const innerFirst of [true, false]) {
      const passed: string[] = [];
      await cancelScope(async (outer) => {
        await cancelScope(async (inner) => {
          const cancels = [() => inner.cancel("inner"), () => outer.cancel("outer")];
          for (const cancel of innerFirst ? cancels : cancels.toReversed()) cancel();
          await checkpoint();
        });
        passed.push("the inner one");
      });
      assert.deepEqual(passed, []);
    }
  });

  it("the outer one stays what code inside is told when the inner one is cancelled after it", async () => {
    const reasons: unknown[] = [];
    await cancelScope(async (outer) => {
      outer.cancel("outer");
      await cancelScope(async (inner) => {
        inner.cancel("inner");
        reasons.push(((await caught(checkpoint())) as CancelledError).reason);
      });
    });
    assert.deepEqual(reasons, ["outer"]);
  });

  it("the outer one takes over while the inner one is being cleaned up", async () => {
    await runTest(async () => {
      const reasons: unknown[] = [];
      const result = await moveOnAfter(20, async () => {
        await moveOnAfter(10, async () => {
          try {
            await sleepForever();
          } finally {
            await shield(() => sleep(30));
            const error = await caught(checkpoint());
            reasons.push(isCancelled(error));
          }
        });
        return "the inner one absorbed it";
      });
      assert.equal(result, undefined);
      assert.deepEqual(reasons, [true]);
      assert.equal(now(), 40);
    });
  });

  it("the inner one keeps what is its own when the outer one is cancelled behind a shield", async () => {
    const value = await cancelScope(async (outer) => {
      outer.cancel();
      return shield(async () => {
        await cancelScope(async (inner) => {
          inner.cancel();
          await checkpoint();
        });
        return "absorbed inside";
      });
    });
    assert.equal(value, "absorbed inside");
  });
});

describe("The deadline of a scope", () => {
  it("can be moved later and earlier, and taken away", async () => {
    await runTest(async () => {
      const later = await moveOnAfter(10, async (scope) => {
        scope.deadline = now() + 100;
        await sleep(50);
        return "had time";
      });
      assert.equal(later, "had time");
      const started = now();
      await moveOnAfter(1_000, async (scope) => {
        scope.deadline = now() + 5;
        await sleepForever();
      });
      assert.equal(now() - started, 5);
      const never = await moveOnAfter(10, async (scope) => {
        scope.deadline = Infinity;
        assert.equal(scope.deadline, Infinity);
        await sleep(1_000);
        return "had all the time";
      });
      assert.equal(never, "had all the time");
    });
  });

  it("cancels at once when it is moved into the past", async () => {
    await runTest(async () => {
      await cancelScope(async (scope) => {
        scope.deadline = now();
        assert.equal(scope.cancelled, true);
        assert.ok(isCancelled(await caught(checkpoint())));
      });
    });
  });

  it("must be a number", async () => {
    await cancelScope(async (scope) => {
      for (const bad of [Number.NaN, "soon" as never, undefined as never]) {
        assert.throws(() => (scope.deadline = bad), { code: "MW_ERR_INVALID_ARGUMENT", message: /deadline/ });
      }
      assert.equal(scope.deadline, Infinity);
    });
  });

  it("does nothing any more once the scope is cancelled, or has ended", async () => {
    await runTest(async () => {
      let ended: { deadline: number; readonly cancelled: boolean } | undefined;
      await cancelScope(async (scope) => {
        ended = scope;
        scope.cancel("before");
        scope.deadline = now() + 1;
        await shield(() => sleep(5));
        assert.equal(((await caught(checkpoint())) as CancelledError).reason, "before");
      });
      await cancelScope((scope) => {
        ended = scope;
      });
      (ended as { deadline: number }).deadline = now() + 1;
      await sleep(5);
      assert.equal(ended?.cancelled, false);
    });
  });

  it("of a task's own scope cancels the task", async () => {
    await runTest(async () => {
      const task = createTask(async () => {
        currentScope().deadline = now() + 10;
        await sleepForever();
      });
      await sleep(20);
      assert.equal(task.cancelled, true);
    });
  });
});

describe("A scope that has ended", () => {
  it("cannot be cancelled", async () => {
    let left: { cancel(): void; readonly cancelled: boolean } | undefined;
    await cancelScope((scope) => {
      left = scope;
    });
    left?.cancel();
    assert.equal(left?.cancelled, false);
  });

  it("leaves waits that nobody awaited to the scope around it", async () => {
    const result = await cancelScope(async (outer) => {
      let forgotten: Promise<unknown> | undefined;
      await cancelScope(() => {
        forgotten = caught(sleepForever());
      });
      outer.cancel("from around");
      const error = await forgotten;
      assert.ok(error instanceof CancelledError);
      assert.equal(error.reason, "from around");
      return "told";
    });
    assert.equal(result, "told");
  });

  it("leaves scopes that nobody awaited to the scope around it", async () => {
    await cancelScope(async (outer) => {
      let forgotten: Promise<unknown> | undefined;
      await cancelScope(() => {
        forgotten = caught(timeout(60_000, () => sleepForever()));
      });
      outer.cancel();
      assert.ok(isCancelled(await forgotten));
    });
  });

  it("interrupts what it leaves when the scope around it is cancelled and it was shielded", async () => {
    await cancelScope(async (outer) => {
      outer.cancel("at last");
      let forgotten: Promise<unknown> | undefined;
      await shield(() => {
        forgotten = caught(sleepForever());
      });
      assert.ok(isCancelled(await forgotten));
    });
  });

  it("asks a wait that has to go on once for each cancellation", async () => {
    let asked = 0;
    let forgotten: Promise<string> | undefined;
    let waiter: Waiter<string> | undefined;
    await cancelScope(async (outer) => {
      await cancelScope((inner) => {
        forgotten = suspend<string>((given) => {
          waiter = given;
          return () => {
            asked += 1;
            return "wait";
          };
        });
        inner.cancel();
        assert.equal(asked, 1);
        outer.cancel();
        assert.equal(asked, 2);
      });
      assert.equal(asked, 2);
    });
    waiter?.wake("in the end");
    assert.equal(await forgotten, "in the end");
  });

  it("shows what it leaves the cancellation around it, also if it was cancelled itself behind its shield", async () => {
    await cancelScope(async (outer) => {
      outer.cancel("outer");
      const released = Promise.withResolvers<void>();
      let forgotten: Promise<unknown> | undefined;
      await shield((scope) => {
        forgotten = cancelScope(async () => {
          await released.promise;
          return caught(checkpoint());
        });
        scope.cancel("own");
      });
      released.resolve();
      const error = await forgotten;
      assert.ok(error instanceof CancelledError);
      assert.equal(error.reason, "outer");
    });
  });

  it("interrupts scopes that it leaves likewise, but not shielded ones", async () => {
    await cancelScope(async (outer) => {
      outer.cancel();
      let open: Promise<unknown> | undefined;
      let shielded: Promise<unknown> | undefined;
      await shield(() => {
        open = caught(timeout(60_000, () => sleepForever()));
        shielded = shield(() => sleep(1).then(() => "in peace"));
      });
      assert.ok(isCancelled(await open));
      assert.equal(await shielded, "in peace");
    });
  });

  it("leaves the waits of an ended task to the owner's scope, which can end them", async () => {
    let forgotten: Promise<unknown> | undefined;
    await run(async () => {
      await taskGroup((group) => {
        group.createTask(() => {
          forgotten = caught(sleepForever());
        });
      });
      currentScope().cancel("main is done");
      assert.ok((await forgotten) instanceof CancelledError);
    });
  });

  it("is no longer the scope of code that runs on: that belongs to the scope around", async () => {
    const event = new Event();
    await cancelScope(async (outer) => {
      let forgotten: Promise<unknown> | undefined;
      await cancelScope((inner) => {
        forgotten = (async () => {
          await event.wait();
          assert.notEqual(currentScope(), inner);
          assert.equal(currentScope(), outer);
        })();
      });
      event.set();
      await forgotten;
    });
  });
});
