// All deadlines of one clock: a bucket for each distinct time, a heap of those times, one alarm for the earliest.
// Adding and removing cost O(1), a new distinct time O(log n): 100 000 sleeps need a few hundred buckets.

import { NumberHeap } from "../util/heap.ts";
import type { Clock } from "./clock.ts";

/** Something that happens at a time. It is in at most one bucket. */
export interface DeadlineEntry {
  /** The bucket the entry waits in; managed by {@link Deadlines}. */
  bucket: Bucket | null;
  /** Its place in the bucket; means something only while it is in one. */
  slot: number;
  /** Called once, when its time has come. Must not throw. */
  due(): void;
}

/** The entries of one time. */
export interface Bucket {
  readonly at: number;
  // Invariant: entries[entry.slot] === entry for each entry in it. A removed one leaves a hole and not itself: what
  // it refers to, a whole request say, must be garbage long before its time would have come.
  entries: Array<DeadlineEntry | null>;
  live: number;
}

/** Holes and left-over times are cleaned out only from this size on: below, the memory does not matter. */
const SMALLEST_COMPACTION = 32;

/** The deadlines of one clock. */
export class Deadlines {
  readonly clock: Clock;
  // Invariant: every key of #buckets is in #times; a time without a bucket is left over and skipped.
  readonly #buckets = new Map<number, Bucket>();
  readonly #times = new NumberHeap();
  readonly #ring = (): void => this.expire();
  // The time the alarm is set to; Infinity if it is not set.
  #alarmAt = Infinity;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** The earliest time anything waits for, or undefined. */
  get earliest(): number | undefined {
    for (;;) {
      const at = this.#times.peek();
      if (at === undefined || this.#buckets.has(at)) return at;
      this.#times.pop();
    }
  }

  /** Calls `entry.due()` at `at`, never before. `Infinity` never comes and is not kept. */
  add(entry: DeadlineEntry, at: number): void {
    if (entry.bucket !== null) this.remove(entry);
    if (at === Infinity) return;
    const { resolutionMs } = this.clock;
    const time = resolutionMs === 0 ? at : Math.ceil(at / resolutionMs) * resolutionMs;
    let bucket = this.#buckets.get(time);
    if (bucket === undefined) {
      bucket = { at: time, entries: [], live: 0 };
      this.#buckets.set(time, bucket);
      this.#pushTime(time);
      if (time < this.#alarmAt) this.#setAlarm(time);
    }
    entry.slot = bucket.entries.push(entry) - 1;
    entry.bucket = bucket;
    bucket.live += 1;
  }

  /** Takes the entry out, if it is in. */
  remove(entry: DeadlineEntry): void {
    const bucket = entry.bucket;
    if (bucket === null) return;
    entry.bucket = null;
    bucket.entries[entry.slot] = null;
    bucket.live -= 1;
    if (bucket.live === 0) {
      // A bucket that is being run is no longer in the map; its time may have a new bucket by now.
      if (this.#buckets.get(bucket.at) === bucket) this.#buckets.delete(bucket.at);
      // The last one gone: a timer for nobody must not keep the process alive.
      if (this.#buckets.size === 0) this.#clearAlarm();
    } else if (bucket.entries.length > SMALLEST_COMPACTION && bucket.live * 2 < bucket.entries.length) {
      closeHoles(bucket);
    }
  }

  /** Like {@link expire}, at the price of reading the clock where nothing is due. */
  expireIfDue(): void {
    if (this.#alarmAt !== Infinity && this.#alarmAt <= this.clock.now()) this.expire();
  }

  /** Runs everything whose time has come, earliest time first, and sets the alarm to the next time. */
  expire(): void {
    this.#alarmAt = Infinity;
    const now = this.clock.now();
    for (let at = this.earliest; at !== undefined && at <= now; at = this.earliest) {
      this.#times.pop();
      const bucket = this.#buckets.get(at) as Bucket;
      // Out of the map first: an entry added meanwhile for the same time gets a bucket of its own.
      this.#buckets.delete(at);
      for (const entry of bucket.entries) {
        if (entry?.bucket !== bucket) continue;
        entry.bucket = null;
        bucket.live -= 1;
        entry.due();
      }
    }
    const next = this.earliest;
    if (next === undefined) this.#clearAlarm();
    else this.#setAlarm(next);
  }

  // Times whose bucket was emptied stay in the heap until reached. Sparse long timeouts would pile them up.
  #pushTime(time: number): void {
    if (this.#times.size >= SMALLEST_COMPACTION && this.#times.size > 4 * this.#buckets.size) {
      this.#times.clear();
      for (const at of this.#buckets.keys()) if (at !== time) this.#times.push(at);
    }
    this.#times.push(time);
  }

  #setAlarm(at: number): void {
    this.#alarmAt = at;
    this.clock.setAlarm(at, this.#ring);
  }

  #clearAlarm(): void {
    this.#alarmAt = Infinity;
    this.clock.clearAlarm();
  }
}

// A new array: the old one may be the one that is being run. Those that were run may wait elsewhere by now.
function closeHoles(bucket: Bucket): void {
  const live: DeadlineEntry[] = [];
  for (const entry of bucket.entries) {
    if (entry?.bucket === bucket) entry.slot = live.push(entry) - 1;
  }
  bucket.entries = live;
}
