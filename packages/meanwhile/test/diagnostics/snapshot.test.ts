import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  cancelScope,
  CapacityLimiter,
  currentTask,
  Event,
  gather,
  Lock,
  moveOnAfter,
  Queue,
  race,
  run,
  shield,
  sleep,
  sleepForever,
  type Task,
  taskGroup,
} from "meanwhile";
import { type Diagnostics, type DiagnosticsOptions, type Snapshot, startDiagnostics } from "meanwhile/diagnostics";
import { suspend } from "meanwhile/lowlevel";

const OPTIONS = { socket: false, report: false, blockedAfterMs: Infinity, warnings: false } as const;

async function diagnosed(
  options: DiagnosticsOptions,
  main: (diagnostics: Diagnostics) => Promise<unknown>,
): Promise<void> {
  await using diagnostics = startDiagnostics({ ...OPTIONS, ...options });
  await diagnostics.ready;
  await run(() => main(diagnostics), { name: "main" });
}

const named = ({ tasks }: Snapshot, name: string): Snapshot["tasks"][number] => {
  const found = tasks.find((task) => task.name === name);
  assert.ok(found, `there is no task "${name}"`);
  return found;
};

describe("A snapshot", () => {
  it("has every task with its parent, what it waits for and who holds that", async () => {
    await diagnosed({}, async (diagnostics) => {
      const lock = new Lock();
      await taskGroup(async (group) => {
        const holder = group.createTask(
          async () => {
            using _held = await lock.acquire();
            await sleepForever();
          },
          { name: "holder" },
        );
        const waiter = group.createTask(() => lock.acquire(), { name: "waiter" });
        const joiner = group.createTask(async () => void (await waiter), { name: "joiner" });
        await sleep(1);
        // In a turn that is over, each of them gives way before it waits.
        const all = ["holder", "waiter", "joiner"];
        let snapshot = await diagnostics.snapshot();
        while (all.some((name) => named(snapshot, name).activity !== "waiting")) {
          snapshot = await diagnostics.snapshot();
        }
        assert.equal(snapshot.cut, "exact");
        assert.equal(snapshot.answered, true);
        const main = named(snapshot, "main");
        assert.equal(main.parent, null);
        for (const name of all) assert.equal(named(snapshot, name).parent, main.id);
        assert.equal(named(snapshot, "holder").waits[0]?.for, "sleepForever");
        const [wait] = named(snapshot, "waiter").waits;
        assert.equal(wait?.for, `Lock.acquire (held by task ${holder.id} "holder")`);
        const resource = snapshot.resources.find(({ id }) => id === wait.resource);
        assert.deepEqual(resource?.holders, [holder.id]);
        assert.deepEqual(resource.waiters, [waiter.id]);
        assert.equal(named(snapshot, "joiner").waits[0]?.task, waiter.id);
        assert.equal(snapshot.counts.live, 4);
        group.cancel();
        assert.ok(joiner);
      });
    });
  });

  it("has several waits of one task, and the one that is left when another ends", async () => {
    await diagnosed({}, async (diagnostics) => {
      const [first, second] = [new Event(), new Event()];
      await taskGroup(async (group) => {
        group.createTask(() => Promise.all([first.wait(), second.wait()]), { name: "both" });
        await sleep(1);
        assert.equal(named(await diagnostics.snapshot(), "both").waits.length, 2);
        second.set();
        await sleep(1);
        const left = named(await diagnostics.snapshot(), "both");
        assert.deepEqual(
          left.waits.map((wait) => wait.for),
          ["Event.wait"],
        );
        assert.equal(left.activity, "waiting");
        first.set();
      });
    });
  });

  it("says that a task waits for a promise that is not of meanwhile", async () => {
    await diagnosed({}, async (diagnostics) => {
      const foreign = Promise.withResolvers<void>();
      await taskGroup(async (group) => {
        group.createTask(() => foreign.promise, { name: "foreign" });
        let seen = named(await diagnostics.snapshot(), "foreign");
        while (seen.activity !== "waiting") seen = named(await diagnostics.snapshot(), "foreign");
        assert.deepEqual(
          [seen.waits[0]?.for, seen.waits[0]?.foreign],
          ["a promise that is not one of meanwhile", true],
        );
        foreign.resolve();
      });
    });
  });

  it("has tasks that were there before diagnostics were on", async () => {
    await run(async () => {
      await taskGroup(async (group) => {
        group.createTask(() => sleepForever(), { name: "early" });
        await sleep(1);
        await using diagnostics = startDiagnostics(OPTIONS);
        const seen = named(await diagnostics.snapshot(), "early");
        assert.deepEqual([seen.activity, seen.waits[0]?.for], ["waiting", "sleepForever"]);
        group.cancel();
      });
    });
  });

  it("tells how tasks have ended", async () => {
    await diagnosed({}, async (diagnostics) => {
      await taskGroup(async (group) => {
        group.createTask(() => 1, { name: "good" });
        const bad = group.createTask(() => Promise.reject(new RangeError("no")), { name: "bad" });
        const stopped = group.createTask(() => sleepForever(), { name: "stopped" });
        await Promise.resolve(bad).catch(() => {});
        await sleep(1);
        stopped.cancel();
      }).catch(() => {});
      const { ended, counts } = await diagnostics.snapshot();
      const outcomes = Object.fromEntries(ended.map(({ name, outcome }) => [name, outcome]));
      assert.deepEqual({ ...outcomes }, { good: "succeeded", bad: "failed", stopped: "cancelled" });
      assert.deepEqual([counts.succeeded, counts.failed, counts.cancelled, counts.live], [1, 1, 1, 1]);
    });
  });

  it("tells since when a task is cancelled, down to a shield, and until its scope is left", async () => {
    await diagnosed({}, async (diagnostics) => {
      const cleaned = new Event();
      const inside = new Event();
      await taskGroup(async (group) => {
        group.createTask(
          async () => {
            try {
              await sleepForever();
            } finally {
              await shield(() =>
                taskGroup((inner) => void inner.createTask(() => cleaned.wait(), { name: "shielded" })),
              );
            }
          },
          { name: "cancelled" },
        );
        group.createTask(
          async () => {
            await cancelScope(async (scope) => {
              scope.cancel();
              await shield(() => inside.wait());
            });
            await sleepForever();
          },
          { name: "scoped" },
        );
        await sleep(1);
        const before = named(await diagnostics.snapshot(), "scoped");
        assert.notEqual(before.cancelledAtMs, null);
        inside.set();
        await sleep(1);
        assert.equal(named(await diagnostics.snapshot(), "scoped").cancelledAtMs, null);
        group.cancel();
        await shield(() => sleep(1));
        const snapshot = await diagnostics.snapshot();
        assert.notEqual(named(snapshot, "cancelled").cancelledAtMs, null);
        assert.equal(named(snapshot, "shielded").cancelledAtMs, null);
        cleaned.set();
      });
    });
  });

  it("shows the circle in which tasks wait for each other", async () => {
    await diagnosed({}, async (diagnostics) => {
      const [left, right] = [new Lock(), new Lock()];
      const grab = async (mine: Lock, other: Lock): Promise<void> => {
        using _mine = await mine.acquire();
        await sleep(1);
        using _other = await other.acquire();
      };
      await taskGroup(async (group) => {
        const one = group.createTask(() => grab(left, right), { name: "one" });
        const two = group.createTask(() => grab(right, left), { name: "two" });
        await sleep(5);
        const { cycles } = await diagnostics.snapshot();
        assert.deepEqual(
          cycles.map((cycle) => cycle.toSorted((a, b) => a - b)),
          [[one.id, two.id]],
        );
        group.cancel();
      });
    });
  });

  it("shows no circle in which somebody can go on: by a deadline, as one of several, or with another permit", async () => {
    await diagnosed({}, async (diagnostics) => {
      const [left, right, mine] = [new Lock(), new Lock(), new Lock()];
      const grab = async (one: Lock, other: Lock): Promise<void> => {
        using _one = await one.acquire();
        await sleep(1);
        await moveOnAfter(60_000, () => other.acquire());
      };
      const limiter = new CapacityLimiter(2);
      await taskGroup(async (group) => {
        group.createTask(() => grab(left, right));
        group.createTask(() => grab(right, left));
        group.createTask(async () => {
          using _mine = await mine.acquire();
          await race([() => mine.acquire(), () => sleepForever()]);
        });
        const waits = group.createTask(async () => {
          await sleep(1);
          await limiter.acquire();
        });
        for (const held of [() => waits, () => sleepForever()]) {
          group.createTask(async () => {
            using _token = await limiter.acquire();
            await held();
          });
        }
        await sleep(10);
        assert.deepEqual((await diagnostics.snapshot()).cycles, []);
        group.cancel();
      });
    });
  });

  it("shows the circle of a race that nobody can win", async () => {
    await diagnosed({}, async (diagnostics) => {
      const lock = new Lock();
      await taskGroup(async (group) => {
        const racer = group.createTask(async () => {
          using _held = await lock.acquire();
          await race([() => lock.acquire(), () => lock.acquire()]);
        });
        await sleep(5);
        const { cycles } = await diagnostics.snapshot();
        assert.equal(cycles.length, 1);
        assert.ok(cycles[0]?.includes(racer.id));
        group.cancel();
      });
    });
  });

  it("asks who holds a resource or ends a wait no more than it tells, however many there are", async () => {
    await diagnosed({}, async (diagnostics) => {
      let asked = 0;
      const holder = currentTask();
      const holders = function* (): Generator<Task<unknown>> {
        for (let i = 0; i < 100_000; i++) {
          asked += 1;
          yield holder;
        }
      };
      await taskGroup(async (group) => {
        group.createTask(() => suspend(() => () => undefined, { describe: () => "Pool.acquire (busy)", holders }));
        await sleep(5);
        const { resources } = await diagnostics.snapshot();
        assert.deepEqual(
          resources.map((one) => one.holders.length),
          [100],
        );
        assert.ok(asked <= 200, `${asked} holders were asked for`);
        group.cancel();
      });
    });
  });

  it("counts tasks for which there is no room, and is true about the others", async () => {
    await diagnosed({ maxTasks: 1_024 }, async (diagnostics) => {
      await taskGroup(async (group) => {
        for (let i = 0; i < 2_000; i++) group.createTask(() => sleepForever(), { name: `sleeper ${i}` });
        await sleep(1);
        const { counts, tasks } = await diagnostics.snapshot();
        assert.equal(counts.live + counts.unrecorded, 2_001);
        assert.equal(tasks.length, counts.live);
        assert.ok(counts.live > 900 && counts.live <= 1_024, `${counts.live} have a record`);
        group.cancel();
      });
      const { counts } = await diagnostics.snapshot();
      assert.deepEqual([counts.live, counts.unrecorded], [1, 0]);
    });
  });

  it("shows the names of fifty thousand tasks, each with one of its own", async () => {
    await diagnosed({}, async (diagnostics) => {
      await taskGroup(async (group) => {
        const made = Array.from({ length: 50_000 }, (_, i) =>
          group.createTask(() => sleepForever(), { name: `download ${i} of 50000` }),
        );
        await sleep(1);
        const { tasks, counts } = await diagnostics.snapshot();
        assert.equal(counts.unrecorded, 0);
        const names = new Map(tasks.map(({ id, name }) => [id, name]));
        assert.deepEqual(
          made.filter(({ id, name }) => names.get(id) !== name),
          [],
        );
        group.cancel();
      });
    });
  });

  it("never shows a name that was another task's, however many there were", async () => {
    await diagnosed({ maxTasks: 1_024 }, async (diagnostics) => {
      for (let round = 0; round < 3; round++) {
        await gather(
          Array.from(
            { length: 1_000 },
            (_, i) => ({ [`r${round} ${i}`]: () => Promise.resolve() })[`r${round} ${i}`] as () => Promise<void>,
          ),
        );
      }
      await taskGroup(async (group) => {
        const made = Array.from({ length: 100 }, (_, i) =>
          group.createTask(() => sleepForever(), { name: `last ${i}` }),
        );
        await sleep(1);
        const { tasks } = await diagnostics.snapshot();
        for (const { id, name } of made) assert.equal(tasks.find((task) => task.id === id)?.name, name);
        group.cancel();
      });
    });
  });

  it("tells where a task was created, at level 3", async () => {
    await diagnosed({ level: 3, stackSampling: 1 }, async (diagnostics) => {
      await taskGroup(async function creator(group) {
        group.createTask(() => sleepForever(), { name: "created" });
        await sleep(1);
        const { createdAt } = named(await diagnostics.snapshot(), "created");
        assert.match(createdAt[0]?.file ?? "", /snapshot\.test\.ts$/);
        assert.equal(createdAt[0]?.function, "creator");
        group.cancel();
      });
    });
  });

  it("lets go of a resource that is garbage", async () => {
    await diagnosed({}, async (diagnostics) => {
      for (let i = 0; i < 5_000; i++) {
        const queue = new Queue<number>({ maxSize: 1 });
        await gather([() => queue.get(), () => queue.put(i)]);
      }
      const { resources } = await diagnostics.snapshot();
      assert.ok(resources.length <= 4_096, `${resources.length} resources`);
    });
  });

  it("is refused once diagnostics have ended, and says how to go on", async () => {
    const diagnostics = startDiagnostics(OPTIONS);
    await diagnostics[Symbol.asyncDispose]();
    await assert.rejects(diagnostics.snapshot(), { code: "MW_ERR_DIAGNOSTICS_OVER" });
  });

  it("is made by one at a time", async () => {
    await using diagnostics = startDiagnostics(OPTIONS);
    await diagnostics.ready;
    assert.throws(() => startDiagnostics(OPTIONS), { code: "MW_ERR_DIAGNOSTICS_ON" });
  });

  it("says which option is wrong", () => {
    for (const bad of [{ level: 4 }, { blockedAfterMs: 1 }, { sampling: 0 }, { maxTasks: 1.5 }, { allow: ["all"] }]) {
      assert.throws(() => startDiagnostics(bad as DiagnosticsOptions), { code: "MW_ERR_INVALID_ARGUMENT" });
    }
  });
});
