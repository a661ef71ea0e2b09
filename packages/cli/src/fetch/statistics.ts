// Counts what happened in a run, in constant memory.

import { HostTallies } from "./host-tallies.ts";
import type { FailureCode, FetchRecord } from "./record.ts";

// Buckets per doubling of the time: a percentile is at most 2.2 % off.
const PER_OCTAVE = 32;
const SMALLEST_MS = 0.01;
const BUCKETS = 32 * PER_OCTAVE;

/** Durations by size: answers percentiles without keeping the durations. */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;

  add(ms: number): void {
    const bucket = Math.floor(Math.log2(Math.max(ms, SMALLEST_MS) / SMALLEST_MS) * PER_OCTAVE);
    const index = Math.min(bucket, BUCKETS - 1);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
  }

  /** The duration that this share of all was not longer than; undefined without any. */
  percentile(share: number): number | undefined {
    if (this.#total === 0) return undefined;
    let left = Math.ceil(this.#total * share);
    const bucket = this.#counts.findIndex((count) => (left -= count) <= 0);
    return SMALLEST_MS * 2 ** ((bucket + 0.5) / PER_OCTAVE);
  }
}

/** What the progress line and the summary are made of. */
export interface Snapshot {
  readonly elapsedMs: number;
  /** URLs read from the list so far. */
  readonly read: number;
  /** Whether the list has been read to its end: then `read` is the total. */
  readonly isTotal: boolean;
  readonly ok: number;
  readonly failed: number;
  /** Not requested, and need not be. */
  readonly skipped: number;
  /** Files that were not fetched from their start. */
  readonly resumed: number;
  readonly running: number;
  readonly retries: number;
  readonly bytes: number;
}

export class Statistics {
  readonly durations: Histogram = new Histogram();
  readonly errors: Map<FailureCode, number> = new Map();
  readonly hosts: HostTallies = new HostTallies();
  read = 0;
  isTotal = false;
  ok = 0;
  failed = 0;
  skipped = 0;
  resumed = 0;
  running = 0;
  retries = 0;
  bytes = 0;
  readonly #startedAt = performance.now();

  /** Counts one record. */
  count(record: FetchRecord): void {
    if (record.skipped !== undefined) {
      this.skipped += 1;
      return;
    }
    if (record.ok) this.ok += 1;
    else this.failed += 1;
    this.bytes += record.bytes;
    if (record.host !== undefined && record.attempts > 0) this.hosts.add(record.host, record.ok, record.ms);
    if (record.status !== undefined) this.durations.add(record.ms);
    if (record.error === undefined) return;
    const { code } = record.error;
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }

  snapshot(): Snapshot {
    const { read, isTotal, ok, failed, skipped, resumed, running, retries, bytes } = this;
    const elapsedMs = performance.now() - this.#startedAt;
    return { elapsedMs, read, isTotal, ok, failed, skipped, resumed, running, retries, bytes };
  }
}
