// How the hosts of a run do, in bounded memory.

/** More hosts are not told apart: nobody reads a list of them. */
const MOST_HOSTS = 1_000;

/** What is known of one host. */
export interface HostTally {
  readonly host: string;
  readonly done: number;
  readonly failed: number;
  /** The mean time of an attempt. */
  readonly meanMs: number;
}

interface Counts {
  done: number;
  failed: number;
  totalMs: number;
}

export class HostTallies {
  readonly #hosts = new Map<string, Counts>();

  /** Counts one URL that was requested. */
  add(host: string, isOk: boolean, ms: number): void {
    let counts = this.#hosts.get(host);
    if (counts === undefined) {
      if (this.#hosts.size >= MOST_HOSTS) return;
      this.#hosts.set(host, (counts = { done: 0, failed: 0, totalMs: 0 }));
    }
    counts.done += 1;
    counts.totalMs += ms;
    if (!isOk) counts.failed += 1;
  }

  /** How many are told apart. */
  get size(): number {
    return this.#hosts.size;
  }

  /** The hosts whose attempts took longest, the slowest first. */
  slowest(count: number): HostTally[] {
    const tallies = [...this.#hosts].map(([host, { done, failed, totalMs }]) => ({
      host,
      done,
      failed,
      meanMs: totalMs / done,
    }));
    return tallies.toSorted((one, other) => other.meanMs - one.meanMs).slice(0, count);
  }
}
