import assert from "node:assert/strict";
import { describe, it } from "node:test";

import type { Clock } from "../../src/clock/clock.ts";
import { type Bucket, type DeadlineEntry, Deadlines } from "../../src/clock/deadlines.ts";
import { seededIntegers } from "../util/random.ts";

/** Time that passes only by `passTo`, which rings the alarm as a real clock would. */
class FakeClock implements Clock {
  time = 0;
  alarm: number | null = null;
  settings = 0;
  #ring: () => void = () => {};
  readonly resolutionMs: number;

  constructor(resolutionMs = 0) {
    this.resolutionMs = resolutionMs;
  }

  now(): number {
    return this.time;
  }

  setAlarm(deadline: number, ring: () => void): void {
    this.settings += 1;
    this.alarm = deadline;
    this.#ring = ring;
  }

  clearAlarm(): void {
    this.alarm = null;
  }

  ring(): void {
    this.alarm = null;
    this.#ring();
  }

  passTo(time: number): void {
    for (let at = this.alarm; at !== null && at <= time; at = this.alarm) {
      this.time = Math.max(this.time, at);
      this.ring();
    }
    this.time = Math.max(this.time, time);
  }
}

class Entry implements DeadlineEntry {
  bucket: Bucket | null = null;
  slot = 0;
  readonly #onDue: () => void;

  constructor(onDue: () => void = () => {}) {
    this.#onDue = onDue;
  }

  due(): void {
    this.#onDue();
  }
}

describe("Deadlines", () => {
  it("runs entries at their time, never before, earliest first, equal ones in the order they were added", () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const log: string[] = [];
    for (const [name, at] of [
      ["c", 30],
      ["a", 10],
      ["b1", 20],
      ["b2", 20],
    ] as const) {
      deadlines.add(new Entry(() => log.push(`${name}@${clock.time}`)), at);
    }
    clock.passTo(19);
    assert.deepEqual(log, ["a@10"]);
    clock.passTo(100);
    assert.deepEqual(log, ["a@10", "b1@20", "b2@20", "c@30"]);
    assert.equal(clock.alarm, null);
    assert.equal(deadlines.earliest, undefined);
  });

  it("never runs an entry that was removed, also when another entry of the same time removes it", () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const log: string[] = [];
    const second = new Entry(() => log.push("second"));
    deadlines.add(
      new Entry(() => {
        log.push("first");
        deadlines.remove(second);
      }),
      10,
    );
    deadlines.add(second, 10);
    clock.passTo(10);
    assert.deepEqual(log, ["first"]);
    deadlines.remove(second);
  });

  it("keeps apart those that were run, moved and removed while a large bucket is being run", () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const log: string[] = [];
    const removed = Array.from({ length: 60 }, () => new Entry(() => log.push("removed")));
    const moved: Entry = new Entry(() => log.push(`moved@${clock.time}`));
    const mover = new Entry(() => {
      deadlines.add(mover, 20); // it waits elsewhere while its bucket closes its holes
      for (const entry of removed) deadlines.remove(entry);
      deadlines.add(moved, 20);
      log.push(`mover@${clock.time}`);
    });
    const last = new Entry(() => log.push("last"));
    for (const entry of [mover, ...removed, moved, last]) deadlines.add(entry, 10);
    clock.passTo(10);
    assert.deepEqual(log, ["mover@10", "last"]);
    deadlines.remove(mover);
    clock.passTo(30);
    assert.deepEqual(log, ["mover@10", "last", "moved@20"]);
  });

  it("still knows where everybody is when a large bucket has closed its holes", () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const log: number[] = [];
    const entries = Array.from({ length: 100 }, (_, i) => new Entry(() => log.push(i)));
    for (const entry of entries) deadlines.add(entry, 10);
    const below = seededIntegers(1);
    const left = [...entries];
    // Past the half the holes are closed; what is removed after that has another place than at first.
    while (left.length > 20) deadlines.remove(left.splice(below(left.length), 1)[0] as Entry);
    clock.passTo(10);
    assert.deepEqual(
      log,
      left.map((entry) => entries.indexOf(entry)),
    );
  });

  it("does not keep what was removed alive until its time", () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const keeper = new Entry();
    deadlines.add(keeper, 10);
    const entry = new Entry();
    deadlines.add(entry, 10);
    const { bucket } = keeper;
    deadlines.remove(entry);
    assert.equal(bucket?.entries.includes(entry), false);
    deadlines.remove(keeper);
  });

  it("keeps no alarm when the last entry is removed, so that nothing holds the process", () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const entry = new Entry();
    deadlines.add(entry, 10);
    assert.equal(clock.alarm, 10);
    deadlines.remove(entry);
    assert.equal(clock.alarm, null);
    assert.equal(deadlines.earliest, undefined);
  });

  it("moves an entry that is added again", () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    let due = 0;
    const entry = new Entry(() => due++);
    deadlines.add(entry, 10);
    deadlines.add(entry, 20);
    clock.passTo(19);
    assert.equal(due, 0);
    clock.passTo(20);
    assert.equal(due, 1);
  });

  it("takes an entry out when it is moved to Infinity, which never comes", () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const entry = new Entry(() => assert.fail("due"));
    deadlines.add(entry, 10);
    deadlines.add(entry, Infinity);
    assert.equal(entry.bucket, null);
    clock.passTo(1e12);
  });

  it("sets the alarm anew only for an earlier time", () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    deadlines.add(new Entry(), 10);
    deadlines.add(new Entry(), 10);
    deadlines.add(new Entry(), 20);
    assert.equal(clock.settings, 1);
    deadlines.add(new Entry(), 5);
    assert.equal(clock.settings, 2);
    assert.equal(clock.alarm, 5);
  });

  it("rounds up to the resolution of the clock, so that nothing runs early", () => {
    const clock = new FakeClock(10);
    const deadlines = new Deadlines(clock);
    const log: number[] = [];
    for (const at of [1, 10, 11]) deadlines.add(new Entry(() => log.push(at)), at);
    assert.equal(clock.alarm, 10);
    clock.passTo(10);
    assert.deepEqual(log, [1, 10]);
    clock.passTo(20);
    assert.deepEqual(log, [1, 10, 11]);
  });

  it("waits on when the alarm rings early", () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    let due = 0;
    deadlines.add(new Entry(() => due++), 10);
    clock.time = 4;
    clock.ring();
    assert.equal(due, 0);
    assert.equal(clock.alarm, 10);
    clock.passTo(10);
    assert.equal(due, 1);
  });

  it("runs an entry for now that an entry adds while it runs, in the same go", () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const log: string[] = [];
    deadlines.add(
      new Entry(() => {
        log.push("first");
        deadlines.add(new Entry(() => log.push("added")), 10);
      }),
      10,
    );
    deadlines.add(new Entry(() => log.push("second")), 10);
    clock.passTo(10);
    assert.deepEqual(log, ["first", "second", "added"]);
  });

  it("lets an entry of the time that runs be moved into the future", () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const log: string[] = [];
    const moved = new Entry(() => log.push(`moved@${clock.time}`));
    deadlines.add(new Entry(() => deadlines.add(moved, 15)), 10);
    deadlines.add(moved, 10);
    clock.passTo(10);
    assert.deepEqual(log, []);
    clock.passTo(15);
    assert.deepEqual(log, ["moved@15"]);
  });

  it("expires what is due when a busy loop asks before the alarm could ring", () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    let due = 0;
    deadlines.expireIfDue();
    deadlines.add(new Entry(() => due++), 10);
    clock.time = 9;
    deadlines.expireIfDue();
    assert.equal(due, 0);
    clock.time = 11;
    deadlines.expireIfDue();
    assert.equal(due, 1);
  });

  it("drops removed entries of one time when they outnumber the live ones", () => {
    const deadlines = new Deadlines(new FakeClock());
    const kept = new Entry();
    deadlines.add(kept, 10);
    for (let i = 0; i < 10_000; i++) {
      const entry = new Entry();
      deadlines.add(entry, 10);
      deadlines.remove(entry);
    }
    assert.ok((kept.bucket?.entries.length ?? Infinity) < 100);
  });

  it("stays right when sparse timeouts are added and removed over and over", () => {
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    let due = 0;
    deadlines.add(new Entry(() => due++), 5_000);
    for (let at = 10_000; at > 6_000; at--) {
      const entry = new Entry(() => assert.fail("due"));
      deadlines.add(entry, at);
      deadlines.remove(entry);
    }
    assert.equal(deadlines.earliest, 5_000);
    clock.passTo(20_000);
    assert.equal(due, 1);
  });

  it("behaves like a sorted list under random adding, moving, removing and passing of time", () => {
    const pick = seededIntegers(4);
    const clock = new FakeClock();
    const deadlines = new Deadlines(clock);
    const model = new Map<Entry, number>();
    const entries: Entry[] = [];
    const due: Entry[] = [];
    for (let step = 0; step < 4_000; step++) {
      const move = pick(10);
      if (move < 5) {
        const entry = pick(3) === 0 ? entries[pick(entries.length)] : undefined;
        const used = entry ?? new Entry(() => due.push(used));
        if (entry === undefined) entries.push(used);
        const at = clock.time + pick(move === 0 ? 10_000 : 60);
        deadlines.add(used, at);
        model.set(used, at);
      } else if (move < 8) {
        const entry = entries[pick(entries.length)];
        if (entry !== undefined) {
          deadlines.remove(entry);
          model.delete(entry);
        }
      } else {
        due.length = 0;
        clock.passTo(clock.time + pick(30));
        const expected = [...model].filter(([, at]) => at <= clock.time);
        assert.deepEqual(new Set(due), new Set(expected.map(([entry]) => entry)));
        assert.equal(due.length, expected.length);
        const times = due.map((entry) => model.get(entry) ?? NaN);
        assert.deepEqual(
          times,
          times.toSorted((a, b) => a - b),
        );
        for (const entry of due) model.delete(entry);
      }
      const earliest = Math.min(...model.values());
      assert.equal(deadlines.earliest ?? Infinity, earliest);
      // It may ring early, for what was removed, but not late; and not at all for nothing.
      assert.ok((clock.alarm ?? Infinity) <= earliest);
      if (model.size === 0) assert.equal(clock.alarm, null);
    }
  });
});
