// Which URL is next.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { createTask, gather, now, sleep } from "meanwhile";
import { runTest } from "meanwhile/testing";

import { Schedule, type ScheduleOptions } from "../../src/fetch/schedule.ts";
import { Target } from "../../src/fetch/target.ts";

function scheduleOf(options: Partial<ScheduleOptions> = {}): Schedule {
  return new Schedule({
    perHost: 2,
    ratePerSecond: Infinity,
    perHostRatePerSecond: Infinity,
    capacity: 100,
    later: (delayMs, callback) => {
      createTask(async () => {
        await sleep(delayMs);
        callback();
      });
    },
    ...options,
  });
}

let index = 0;
function target(url: string): Target {
  return new Target(++index, url, new URL(url).origin);
}

async function fill(schedule: Schedule, ...urls: string[]): Promise<void> {
  for (const url of urls) await schedule.add(target(url));
  schedule.close();
}

async function takeNow(schedule: Schedule, count: number): Promise<Target[]> {
  const taken: Target[] = [];
  for (let i = 0; i < count; i++) {
    const next = await schedule.take();
    assert.ok(next !== null);
    taken.push(next);
  }
  return taken;
}

const pathsOf = (targets: readonly Target[]): string[] => targets.map(({ text }) => text.replace("http://", ""));

describe("Schedule", () => {
  it("serves hosts in turn, whatever the order of the list", () =>
    runTest(async () => {
      const schedule = scheduleOf();
      await fill(schedule, "http://a/1", "http://a/2", "http://a/3", "http://b/1", "http://c/1");
      assert.deepEqual(pathsOf(await takeNow(schedule, 4)), ["a/1", "b/1", "c/1", "a/2"]);
    }));

  it("starts no more than the limit at one host, and goes on when one is done", () =>
    runTest(async () => {
      const schedule = scheduleOf();
      await fill(schedule, "http://a/1", "http://a/2", "http://a/3");
      const [first] = await takeNow(schedule, 2);
      let third: Target | null = null;
      const waiting = createTask(async () => {
        third = await schedule.take();
      });
      await sleep(1_000);
      assert.equal(third, null);
      schedule.finish(first as Target);
      await waiting;
      assert.equal((third as Target | null)?.text, "http://a/3");
    }));

  it("ends all takers when nothing is left", () =>
    runTest(async () => {
      const schedule = scheduleOf();
      await fill(schedule, "http://a/1");
      const [only] = await takeNow(schedule, 1);
      const takers = gather([() => schedule.take(), () => schedule.take()]);
      createTask(async () => {
        await sleep(10);
        schedule.finish(only as Target);
      });
      assert.deepEqual(await takers, [null, null]);
      assert.equal(await schedule.take(), null);
      assert.equal(schedule.hostCount, 0);
    }));

  it("lets the reader of the list wait for room", () =>
    runTest(async () => {
      const schedule = scheduleOf({ capacity: 2 });
      const reader = createTask(() => fill(schedule, "http://a/1", "http://b/1", "http://c/1"));
      await sleep(10);
      assert.equal(reader.done, false);
      const [first] = await takeNow(schedule, 1);
      assert.equal(reader.done, false); // taken is still in the schedule
      schedule.finish(first as Target);
      await reader;
      assert.equal(schedule.pending, 2);
    }));

  it("starts nothing at a host that is paused, and goes on afterwards", () =>
    runTest(async () => {
      const schedule = scheduleOf();
      await fill(schedule, "http://a/1", "http://a/2", "http://b/1");
      const [first] = await takeNow(schedule, 1);
      schedule.pauseHost(first as Target, 5_000);
      schedule.pauseHost(first as Target, 3_000); // a shorter one changes nothing
      schedule.finish(first as Target);
      const started = now();
      assert.deepEqual(pathsOf(await takeNow(schedule, 2)), ["b/1", "a/2"]);
      assert.equal(now() - started, 5_000);
    }));

  it("gives a postponed target out again, and counts it in the meantime", () =>
    runTest(async () => {
      const schedule = scheduleOf({ perHost: 1 });
      await fill(schedule, "http://a/1", "http://a/2");
      const [first] = await takeNow(schedule, 1);
      schedule.postpone(first as Target);
      const [second] = await takeNow(schedule, 1);
      schedule.finish(second as Target);
      assert.deepEqual([schedule.pending, schedule.hostCount], [1, 1]);
      schedule.requeue(first as Target);
      assert.equal(await schedule.take(), first);
    }));

  it("hands out the targets of a host that wants a long rest after all others, to be refused", () =>
    runTest(async () => {
      const schedule = scheduleOf({ perHost: 1 });
      await fill(schedule, "http://a/1", "http://a/2", "http://b/1", "http://b/2");
      const [first, other] = await takeNow(schedule, 2);
      schedule.deferHost(first as Target, 600_000);
      schedule.postpone(first as Target);
      schedule.requeue(first as Target);
      schedule.finish(other as Target);
      const [last] = await takeNow(schedule, 1);
      assert.equal(last?.text, "http://b/2");
      schedule.finish(last);
      const refused = await takeNow(schedule, 2);
      assert.deepEqual(pathsOf(refused), ["a/2", "a/1"]);
      assert.deepEqual(
        refused.map(({ host }) => host.mode),
        ["refusing", "refusing"],
      );
      for (const one of refused) schedule.finish(one);
      assert.equal(await schedule.take(), null);
      await sleep(600_000);
      assert.equal(schedule.hostCount, 0);
    }));

  it("goes on with a host whose long rest is over before the run is", () =>
    runTest(async () => {
      const schedule = scheduleOf({ perHost: 1 });
      await fill(schedule, "http://a/1", "http://a/2", "http://b/1");
      const [first, busy] = await takeNow(schedule, 2);
      schedule.deferHost(first as Target, 600_000);
      schedule.finish(first as Target);
      await sleep(600_001);
      const [second] = await takeNow(schedule, 1);
      assert.deepEqual([second?.text, second?.host.mode, busy?.text], ["http://a/2", "open", "http://b/1"]);
    }));

  it("does not let the targets of hosts that rest take all the room", () =>
    runTest(async () => {
      const schedule = scheduleOf({ capacity: 10 });
      await schedule.add(target("http://a/1"));
      const [first] = await takeNow(schedule, 1);
      schedule.deferHost(first as Target, 600_000);
      for (let i = 2; i <= 6; i++) await schedule.add(target(`http://a/${i}`));
      assert.equal(first?.host.mode, "deferred");
      await schedule.add(target("http://a/7"));
      assert.equal(first?.host.mode, "refusing");
      assert.equal((await takeNow(schedule, 6)).length, 6);
      await sleep(600_000);
      assert.equal(first?.host.mode, "open");
    }));

  it("hands out the rest of a broken host at once, without regard to its limits", () =>
    runTest(async () => {
      const schedule = scheduleOf({ perHost: 1 });
      await fill(schedule, "http://a/1", "http://a/2", "http://a/3");
      const [first] = await takeNow(schedule, 1);
      schedule.breakHost(first as Target);
      const rest = await takeNow(schedule, 2);
      assert.deepEqual(
        rest.map(({ host }) => host.mode),
        ["broken", "broken"],
      );
    }));

  it("spaces the starts at each host by its rate, and keeps it for a host that comes back", () =>
    runTest(async () => {
      const schedule = scheduleOf({ perHostRatePerSecond: 2 });
      await schedule.add(target("http://a/1"));
      await schedule.add(target("http://b/1"));
      const started = now();
      for (const one of await takeNow(schedule, 2)) schedule.finish(one);
      assert.equal(now() - started, 0);
      await schedule.add(target("http://a/2"));
      await takeNow(schedule, 1);
      const took = now() - started;
      assert.ok(took >= 450 && took <= 510, `the interval of 500 ms took ${took} ms`);
    }));

  it("spaces starts by the rate, over all hosts", () =>
    runTest(async () => {
      const schedule = scheduleOf({ ratePerSecond: 10 });
      await fill(schedule, ..."abcdefghijk".split("").map((host) => `http://${host}/`));
      const started = now();
      await takeNow(schedule, 11);
      const took = now() - started;
      assert.ok(took >= 950 && took <= 1_010, `10 intervals took ${took} ms`);
    }));

  it("takes nothing out for a taker that is cancelled", () =>
    runTest(async () => {
      const schedule = scheduleOf();
      const taker = createTask(() => schedule.take());
      await sleep(1);
      taker.cancel("not needed");
      await sleep(1);
      await fill(schedule, "http://a/1");
      assert.deepEqual(pathsOf(await takeNow(schedule, 1)), ["a/1"]);
    }));
});
