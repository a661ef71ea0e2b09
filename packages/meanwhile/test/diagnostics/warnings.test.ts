import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  cancellable,
  coroutine,
  Event,
  fixed,
  gather,
  Lock,
  moveOnAfter,
  Queue,
  retry,
  run,
  Semaphore,
  shield,
  sleep,
  sleepForever,
  taskGroup,
} from "meanwhile";
import {
  type Place,
  startDiagnostics,
  type Warning,
  type WarningKind,
  type WarningLimits,
} from "meanwhile/diagnostics";
import { isCoroutine } from "meanwhile/lowlevel";

import { expectWarning } from "../../../../tools/test-setup.ts";
import { block, listenTo, outputOf, type Published } from "./asking.ts";

const NEVER: WarningLimits = {
  cancelledMs: Infinity,
  noDeadlineMs: Infinity,
  lockHeldMs: Infinity,
  queueStuckMs: Infinity,
  poolExhaustedMs: Infinity,
  children: Infinity,
  retries: Infinity,
  foreignMs: Infinity,
  loopedAwaitsMs: Infinity,
  cycleMs: Infinity,
};

/** How often looks are taken in these tests: as often as half of the shortest limit. */
const LIMIT_MS = 120;

interface Scene {
  readonly warnings: Published<Warning>;
  /** The first warning of the kind. */
  readonly first: (kind: WarningKind) => Promise<Warning>;
}

async function watched(limits: Partial<WarningLimits>, main: (scene: Scene) => Promise<unknown>): Promise<void> {
  // A lock that nobody holds makes looks as frequent as the others need.
  await using diagnostics = startDiagnostics({
    socket: false,
    report: false,
    blockedAfterMs: 250,
    warnings: { ...NEVER, ...limits },
  });
  await diagnostics.ready;
  using warnings = listenTo<Warning>("meanwhile:warning");
  await run(() => main({ warnings, first: (kind) => warnings.until((one) => one.kind === kind) }), { name: "main" });
}

/** Lets several looks go by. */
async function severalLooks(): Promise<void> {
  const end = performance.now() + 3 * LIMIT_MS;
  while (performance.now() < end) await sleep(5);
}

const of = ({ seen }: Published<Warning>, kind: WarningKind): Warning[] => seen.filter((one) => one.kind === kind);

describe("Diagnostics warn", () => {
  it("of a blocked loop, with its line", () =>
    watched({ lockHeldMs: LIMIT_MS }, async ({ first, warnings }) => {
      await severalLooks();
      assert.deepEqual(of(warnings, "loop-blocked"), []);
      block(500);
      const { message, place, tasks, remedy } = await first("loop-blocked");
      assert.match(message, /blocked for \d+ ms/);
      assert.match(place?.file ?? "", /asking\.ts$/);
      assert.equal(tasks.length, 1);
      assert.match(remedy, /checkpoint/);
    }));

  it("with what to do, whatever the task is called", () =>
    watched({ lockHeldMs: LIMIT_MS }, async ({ first }) => {
      await severalLooks();
      await taskGroup(async (group) => {
        group.createTask(() => Promise.resolve(block(500)), { name: "one; another" });
        const { message, remedy } = await first("loop-blocked");
        assert.match(message, /"one; another" at block/);
        assert.match(remedy, /^give the others a turn/);
      });
    }));

  it("of a coroutine that was never awaited, with its line", async () => {
    await using expected = expectWarning("MW_WARN_NEVER_AWAITED");
    await watched({}, async ({ first }) => {
      const fetchData = coroutine(async function fetchData() {
        await sleep(1);
      });
      await run(async () => {
        await fetchData();
        const forgotten = fetchData();
        assert.equal(isCoroutine(forgotten), true);
      });
      const { message, place, remedy } = await first("never-awaited");
      assert.match(message, /"fetchData" was never awaited/);
      assert.match(place?.file ?? "", /warnings\.test\.ts$/);
      assert.match(remedy, /await fetchData\(\)/);
    });
    assert.equal(expected.seen.length, 1);
  });

  it("of a task that goes on after its cancellation, and not of one that ends", () =>
    watched({ cancelledMs: LIMIT_MS }, async ({ first, warnings }) => {
      const open = new Event();
      await taskGroup(async (group) => {
        group.createTask(() => sleepForever(), { name: "obedient" }).cancel();
        await severalLooks();
        assert.deepEqual(warnings.seen, []);
        const stubborn = group.createTask(() => shield(() => open.wait()), { name: "stubborn" });
        await sleep(1);
        stubborn.cancel();
        const { message, tasks } = await first("cancelled-but-running");
        assert.match(message, /^Task \d+ "stubborn" was cancelled/);
        assert.deepEqual(tasks, [stubborn.id]);
        open.set();
      });
      await warnings.until(({ kind, overAtMs }) => kind === "cancelled-but-running" && overAtMs !== null);
    }));

  it("of a wait that nothing ends, and not of one with a deadline, a sleep or a wait for children", () =>
    watched({ noDeadlineMs: LIMIT_MS }, async ({ first, warnings }) => {
      const never = new Event();
      await taskGroup(async (group) => {
        group.createTask(() => sleepForever());
        group.createTask(() => moveOnAfter(100_000, () => never.wait()));
        group.createTask(() => gather([() => sleep(100_000)]));
        await severalLooks();
        assert.deepEqual(warnings.seen, []);
        const patient = group.createTask(() => never.wait(), { name: "patient" });
        const { message, tasks } = await first("no-deadline");
        assert.match(message, /"patient" waits for Event\.wait for .* s, and nothing ends it/);
        assert.deepEqual(tasks, [patient.id]);
        group.cancel();
      });
    }));

  it("of a lock that is held for long while others wait, and not of one that is handed on", () =>
    watched({ lockHeldMs: LIMIT_MS }, async ({ first, warnings }) => {
      const [busy, held] = [new Lock(), new Lock()];
      await taskGroup(async (group) => {
        for (let i = 0; i < 20; i++) {
          group.createTask(async () => {
            using _turn = await busy.acquire();
            await sleep(5);
          });
        }
        await severalLooks();
        assert.deepEqual(warnings.seen, []);
        const holder = group.createTask(
          async () => {
            using _held = await held.acquire();
            await sleepForever();
          },
          { name: "holder" },
        );
        const waiter = group.createTask(() => held.acquire());
        const { message, tasks } = await first("lock-held");
        assert.match(message, /Lock\.acquire \(held by task \d+ "holder"\)/);
        assert.deepEqual(tasks, [holder.id, waiter.id]);
        group.cancel();
      });
    }));

  it("of a queue that stays empty or full while somebody waits, and not of one that flows", () =>
    watched({ queueStuckMs: LIMIT_MS }, async ({ first, warnings }) => {
      const queue = new Queue<number>({ maxSize: 1 });
      await taskGroup(async (group) => {
        const getter = group.createTask(async () => {
          for await (const item of queue) void item;
        });
        for (let i = 0; i < 40; i++) {
          await sleep(5);
          await queue.put(i);
        }
        assert.deepEqual(warnings.seen, []);
        assert.match((await first("queue-stuck")).message, /Queue\.get \(it is empty\)/);
        getter.cancel();
        const full = new Queue<number>({ maxSize: 1 });
        await full.put(1);
        group.createTask(() => full.put(2));
        const { remedy } = await warnings.until(({ message }) => message.includes("Queue.put"));
        assert.match(remedy, /more tasks that get/);
        group.cancel();
      });
    }));

  it("of a pool that is exhausted, and not of one that is only busy", () =>
    watched({ poolExhaustedMs: LIMIT_MS }, async ({ first, warnings }) => {
      const slots = new Semaphore(1);
      await taskGroup(async (group) => {
        for (let i = 0; i < 5; i++) {
          group.createTask(async () => {
            using _slot = await slots.acquire();
            await sleep(3);
          });
        }
        await severalLooks();
        assert.deepEqual(warnings.seen, []);
        for (let i = 0; i < 3; i++) {
          group.createTask(async () => {
            using _slot = await slots.acquire();
            await sleepForever();
          });
        }
        assert.match((await first("pool-exhausted")).message, /2 tasks wait for Semaphore\.acquire/);
        group.cancel();
      });
    }));

  it("of tasks that wait for each other in a circle, and not of a chain", () =>
    watched({ cycleMs: LIMIT_MS }, async ({ first, warnings }) => {
      const [left, right] = [new Lock(), new Lock()];
      const grab = async (mine: Lock, other: Lock): Promise<void> => {
        using _mine = await mine.acquire();
        await sleep(1);
        using _other = await other.acquire();
        await sleep(1);
      };
      await taskGroup(async (group) => {
        const last = group.createTask(() => sleepForever());
        const middle = group.createTask(async () => {
          await last;
        });
        group.createTask(async () => {
          await middle;
        });
        await severalLooks();
        assert.deepEqual(warnings.seen, []);
        const pair = [group.createTask(() => grab(left, right)), group.createTask(() => grab(right, left))];
        const { tasks, severity } = await first("wait-cycle");
        assert.deepEqual(
          tasks.toSorted((a, b) => a - b),
          pair.map(({ id }) => id),
        );
        assert.equal(severity, "error");
        group.cancel();
      });
    }));

  it("of more children than anybody wants at once, and not of many in a row", () =>
    watched({ children: 100, lockHeldMs: LIMIT_MS }, async ({ first, warnings }) => {
      for (let i = 0; i < 5; i++) await gather(Array.from({ length: 50 }, () => () => sleep(1)));
      await severalLooks();
      assert.deepEqual(warnings.seen, []);
      await taskGroup(async (group) => {
        for (let i = 0; i < 150; i++) group.createTask(() => sleepForever());
        assert.match((await first("many-children")).message, /"main" has 150 children at once/);
        group.cancel();
      });
    }));

  it("of attempts that are repeated again and again, and not of a few", () =>
    watched({ retries: 20, lockHeldMs: LIMIT_MS }, async ({ first, warnings }) => {
      const fail = (): Promise<never> => Promise.reject(new RangeError("down"));
      await retry(fail, { attempts: 10, backoff: fixed(1) }).catch(() => {});
      await severalLooks();
      assert.deepEqual(warnings.seen, []);
      await retry(fail, { attempts: 40, backoff: fixed(1) }).catch(() => {});
      assert.match((await first("retry-storm")).remedy, /exponential/);
    }));

  it("of a promise that is not of meanwhile and stays pending, and not of one that settles", () =>
    watched({ foreignMs: LIMIT_MS }, async ({ first, warnings }) => {
      const never = Promise.withResolvers<void>();
      for (let i = 0; i < 20; i++) await cancellable(sleepNatively(5));
      assert.deepEqual(warnings.seen, []);
      await taskGroup(async (group) => {
        const waiting = group.createTask(() => cancellable(never.promise), { name: "stuck" });
        const { message, tasks } = await first("foreign-pending");
        assert.match(message, /"stuck" waits for a promise given to cancellable\(\)/);
        assert.deepEqual(tasks, [waiting.id]);
        group.cancel();
      });
    }));

  it("of awaits in a loop that could have been one, and not of those that need the one before", async () => {
    const { text } = await outputOf("awaits-in-loops.ts", ["--import", "@meanwhile/instrument/register"]);
    const { kind, place, others } = JSON.parse(text) as { kind: WarningKind; place: Place; others: Warning[] };
    assert.equal(kind, "awaits-in-a-loop");
    assert.equal(place.function, "together");
    assert.deepEqual(others, []);
  });
});

function sleepNatively(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
