// Bodies with a deadline: whose expiry it was, and what comes of a body that minds it or not.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  CancelledError,
  type CancelScope,
  cancelScope,
  checkpoint,
  createTask,
  Event,
  gather,
  isCancelled,
  Lock,
  moveOnAfter,
  now,
  shield,
  sleep,
  sleepForever,
  timeout,
  timeoutAt,
  TimeoutError,
} from "meanwhile";
import { runTest } from "meanwhile/testing";

import { caught } from "../kernel/caught.ts";

describe("timeout", () => {
  it("returns the value of a body that is in time", async () => {
    await runTest(async () => {
      assert.equal(await timeout(10, () => sleep(5).then(() => "value")), "value");
      assert.equal(await timeout(10, () => "sync value"), "sync value");
      assert.equal(now(), 5);
    });
  });

  it("rejects with TimeoutError at its deadline, with the cancellation as cause", async () => {
    await runTest(async () => {
      const error = await caught(timeout(10, () => sleepForever()));
      assert.ok(error instanceof TimeoutError);
      assert.equal(error.code, "MW_ERR_TIMEOUT");
      assert.equal(error.message, "Cannot finish in time: the timeout of 10 ms has passed; it waited for sleepForever");
      assert.ok(error.cause instanceof CancelledError);
      assert.equal(error.cause.reason, "the deadline has passed");
      assert.equal(now(), 10);
    });
  });

  it("tells the body CancelledError, not TimeoutError, and TimeoutError is no cancellation", async () => {
    await runTest(async () => {
      const error = await caught(
        timeout(10, async () => {
          const inside = await caught(sleepForever());
          assert.ok(isCancelled(inside) && inside instanceof CancelledError);
          throw inside;
        }),
      );
      assert.equal(isCancelled(error), false);
      assert.ok(!(error instanceof CancelledError));
    });
  });

  it("waits for the cleanup of the body, however long", async () => {
    await runTest(async () => {
      const error = await caught(
        timeout(10, async () => {
          try {
            await sleepForever();
          } finally {
            await shield(() => sleep(90));
          }
        }),
      );
      assert.ok(error instanceof TimeoutError);
      assert.equal(now(), 100);
    });
  });

  it("keeps the value of a body that swallows the expiry and returns", async () => {
    await runTest(async () => {
      const value = await timeout(10, async () => {
        await caught(sleepForever());
        return "all the same";
      });
      assert.equal(value, "all the same");
    });
  });

  it("fires again at each checkpoint of a body that swallows the expiry and goes on", async () => {
    await runTest(async () => {
      let swallowed = 0;
      const error = await caught(
        timeout(10, async () => {
          for (let i = 0; i < 3; i++) {
            await caught(sleep(100));
            swallowed += 1;
          }
          await sleep(100);
        }),
      );
      assert.ok(error instanceof TimeoutError);
      assert.equal(swallowed, 3);
      assert.equal(now(), 10);
    });
  });

  it("lets an error of the cleanup stand", async () => {
    await runTest(async () => {
      const failure = new RangeError("cleanup went wrong");
      const error = await caught(
        timeout(10, async () => {
          await caught(sleepForever());
          throw failure;
        }),
      );
      assert.equal(error, failure);
    });
  });

  it("is a failure, not a cancellation, of the task around it", async () => {
    await runTest(async () => {
      const task = createTask(() => timeout(1, () => sleepForever()));
      assert.ok((await caught(task)) instanceof TimeoutError);
      assert.equal(task.cancelled, false);
    });
  });

  it("of zero fails at the first checkpoint, and without one returns the value", async () => {
    await runTest(async () => {
      assert.equal(await timeout(0, () => "value"), "value");
      assert.equal(await timeout(-1, async () => "value"), "value");
      for (const body of [checkpoint, () => sleep(0), () => sleep(1)]) {
        assert.ok((await caught(timeout(0, body))) instanceof TimeoutError);
      }
      assert.equal(now(), 0);
    });
  });

  // https://github.com/python/cpython/issues/134471
  it("of zero does not swallow an earlier cancellation from outside", async () => {
    await cancelScope(async (scope) => {
      scope.cancel("outside");
      const error = await caught(timeout(0, () => checkpoint()));
      assert.ok(isCancelled(error));
      assert.equal((error as CancelledError).reason, "outside");
    });
  });

  it("of Infinity never comes", async () => {
    await runTest(async () => {
      assert.equal(await timeout(Infinity, () => sleep(1e9).then(() => "value")), "value");
    });
  });

  it("lets a cancellation from outside pass untouched", async () => {
    await runTest(async () => {
      await cancelScope(async (scope) => {
        const error = await caught(
          timeout(10, async () => {
            scope.cancel("outside");
            await checkpoint();
          }),
        );
        assert.ok(error instanceof CancelledError && isCancelled(error));
        assert.equal(error.reason, "outside");
      });
    });
  });

  it("throws the cancellation if somebody cancels its scope before the deadline", async () => {
    const error = await caught(
      timeout(60_000, async (scope) => {
        scope.cancel("by hand");
        await checkpoint();
      }),
    );
    assert.ok(error instanceof CancelledError);
    assert.equal(error.reason, "by hand");
  });

  it("can be moved by its body", async () => {
    await runTest(async () => {
      const value = await timeout(10, async (scope) => {
        scope.deadline += 100;
        await sleep(50);
        return "more time";
      });
      assert.equal(value, "more time");
    });
  });

  it("keeps the async stack of its caller", async () => {
    async function whoWaitsTooLong(): Promise<void> {
      await timeout(1, () => sleepForever());
    }
    assert.match(((await caught(whoWaitsTooLong())) as Error).stack ?? "", /whoWaitsTooLong/);
  });
});

describe("The message of a TimeoutError", () => {
  const messageOf = async (body: () => Promise<unknown>): Promise<string> =>
    ((await caught(timeout(10, body))) as Error).message
      .replace("Cannot finish in time: the timeout of 10 ms has passed", "")
      .replace(/task \d+/, "task #");

  it("names what the body waited for", () =>
    runTest(async () => {
      const lock = new Lock();
      using held = await lock.acquire();
      assert.ok(held);
      assert.equal(await messageOf(() => lock.acquire()), '; it waited for Lock.acquire (held by task # "main")');
    }));

  it("names what tasks in it waited for, and not that somebody joins them", () =>
    runTest(async () => {
      assert.equal(
        await messageOf(() =>
          gather([
            async function download() {
              await sleepForever();
            },
            async function listen() {
              await new Event().wait();
            },
          ]),
        ),
        '; it waited for sleepForever in task "download" and Event.wait in task "listen"',
      );
    }));

  it("names three of many waits, and counts the others", () =>
    runTest(async () => {
      const message = await messageOf(() => Promise.all(Array.from({ length: 9 }, () => sleepForever())));
      assert.equal(message, "; it waited for sleepForever and sleepForever and sleepForever and 6 more");
    }));

  it("names nothing where the body waits for something foreign", () =>
    runTest(async () => {
      const foreign = async (scope: CancelScope): Promise<never> => {
        await new Promise((resolve) => void setImmediate(resolve));
        scope.deadline = now();
        await checkpoint();
        throw new RangeError("not cancelled");
      };
      const error = (await caught(timeout(10, foreign))) as Error;
      assert.equal(error.message, "Cannot finish in time: the timeout of 10 ms has passed");
    }));
});

describe("Nested timeouts", () => {
  /** Which of two nested timeouts fired, "outer" or "inner". */
  async function whoFires(outerMs: number, innerMs: number): Promise<string> {
    try {
      await timeout(outerMs, async () => {
        try {
          await timeout(innerMs, () => sleepForever());
        } catch (error) {
          if (error instanceof TimeoutError) return;
          throw error;
        }
      });
      return "inner";
    } catch (error) {
      assert.ok(error instanceof TimeoutError);
      return "outer";
    }
  }

  it("fire inside or outside, whichever comes first", async () => {
    await runTest(async () => {
      assert.equal(await whoFires(10, 20), "outer");
      assert.equal(await whoFires(20, 10), "inner");
    });
  });

  it("fire outside for equal deadlines", async () => {
    await runTest(async () => {
      assert.equal(await whoFires(10, 10), "outer");
      assert.equal(await whoFires(0, 0), "outer");
    });
  });

  it("fire outside if both have passed before the body resumes", async () => {
    await runTest(async () => {
      const error = await caught(
        timeout(20, () =>
          timeout(10, async () => {
            try {
              await sleepForever();
            } finally {
              await shield(() => sleep(30));
            }
          }),
        ),
      );
      assert.ok(error instanceof TimeoutError);
      assert.match(error.message, /20 ms/);
    });
  });

  it("cannot sum up to more than the outer one", async () => {
    await runTest(async () => {
      await moveOnAfter(25, async () => {
        for (;;) await moveOnAfter(10, () => sleepForever());
      });
      assert.equal(now(), 25);
    });
  });
});

describe("timeoutAt", () => {
  it("rejects at a point in time on the scale of now", async () => {
    await runTest(async () => {
      await sleep(5);
      assert.equal(await timeoutAt(20, () => sleep(10).then(() => "value")), "value");
      const error = await caught(timeoutAt(20, () => sleepForever()));
      assert.ok(error instanceof TimeoutError);
      assert.match(error.message, /the deadline has passed/);
      assert.equal(now(), 20);
    });
  });
});

describe("moveOnAfter", () => {
  it("returns undefined at its deadline, and else the value", async () => {
    await runTest(async () => {
      assert.equal(await moveOnAfter(10, () => sleepForever()), undefined);
      assert.equal(now(), 10);
      assert.equal(await moveOnAfter(10, () => "value"), "value");
    });
  });

  it("counts from its start", async () => {
    await runTest(async () => {
      await sleep(100);
      await moveOnAfter(10, () => sleepForever());
      assert.equal(now(), 110);
    });
  });
});

describe("shield", () => {
  it("holds a cancellation back until it is left", async () => {
    await runTest(async () => {
      const reached: string[] = [];
      await moveOnAfter(10, async () => {
        await shield(async () => {
          await sleep(20);
          reached.push("end of the shield");
        });
        reached.push("after the shield");
        await checkpoint();
        reached.push("after the checkpoint");
      });
      assert.deepEqual(reached, ["end of the shield", "after the shield"]);
      assert.equal(now(), 20);
    });
  });

  it("works in a scope that is cancelled already", async () => {
    await runTest(async () => {
      await cancelScope(async (scope) => {
        scope.cancel();
        assert.equal(await shield(() => sleep(5).then(() => "cleaned up")), "cleaned up");
      });
      assert.equal(now(), 5);
    });
  });

  it("has a deadline of its own, which ends in TimeoutError", async () => {
    await runTest(async () => {
      await cancelScope(async (scope) => {
        scope.cancel();
        const error = await caught(shield(() => sleepForever(), { timeoutMs: 10 }));
        assert.ok(error instanceof TimeoutError);
        assert.equal(
          error.message,
          "Cannot finish in time: the shield's timeout of 10 ms has passed; it waited for sleepForever",
        );
        assert.equal(isCancelled(error), false);
      });
      assert.equal(now(), 10);
    });
  });

  it("does not hold back what is cancelled inside it", async () => {
    await runTest(async () => {
      assert.equal(await shield(() => moveOnAfter(10, () => sleepForever())), undefined);
      const error = await caught(
        shield(async (scope) => {
          scope.cancel("by hand");
          await checkpoint();
        }),
      );
      assert.ok(error instanceof CancelledError);
    });
  });

  it("shields tasks that are awaited in it, too", async () => {
    await runTest(async () => {
      await moveOnAfter(10, async () => {
        const task = createTask(() => sleep(20).then(() => "value"));
        assert.equal(await shield(() => task), "value");
      });
    });
  });
});

describe("A shield with a signal", () => {
  it("rejects with the reason of the signal, whatever is cancelled outside", async () => {
    await runTest(async () => {
      const controller = new AbortController();
      setImmediate(() => controller.abort("the user left"));
      const error = await caught(shield(() => sleepForever(), { signal: controller.signal }));
      assert.ok(error instanceof CancelledError);
      assert.equal(error.reason, "the user left");
      assert.equal(isCancelled(error), false);
    });
  });
});

describe("A time that is no number", () => {
  it("is refused before the body starts", async () => {
    let started = false;
    const body = (): void => {
      started = true;
    };
    for (const bad of [Number.NaN, "10" as never, undefined as never]) {
      const calls: ReadonlyArray<Promise<unknown>> = [
        timeout(bad, body),
        timeoutAt(bad, body),
        moveOnAfter(bad, body),
        shield(body, { timeoutMs: bad ?? Number.NaN }),
      ];
      for (const call of calls) {
        const error = (await caught(call)) as Error & { code: string };
        assert.equal(error.code, "MW_ERR_INVALID_ARGUMENT");
        assert.match(error.message, /^Cannot .*: '(ms|deadline|timeoutMs)' is .*; pass /);
      }
    }
    assert.equal(started, false);
  });
});
