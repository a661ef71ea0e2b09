// What a row of the benchmark is: a piece of work, the peers that do it, and how ours has to compare.

/** One number that is measured for every peer. */
export interface Figure {
  readonly key: string;
  /** What it is, with its unit, as in `µs per job`. */
  readonly label: string;
  readonly better: "less" | "more";
}

/** Every child reports it: the most memory the process ever had in RAM. */
export const PEAK_MEMORY: Figure = { key: "peakMb", label: "peak memory, MB", better: "less" };

/** The figures of one run in one child, by key. */
export type Measured = Readonly<Record<string, number>>;

interface AnyPeer {
  readonly name: string;
  /** Whether this is meanwhile; charts show it in colour. */
  readonly ours?: boolean;
  /** At most so many rounds, for one that takes long and is far off. */
  readonly rounds?: number;
}

/** Runs in a child process of this Node. Imports what it measures itself, so that no child loads another peer. */
export interface NodePeer extends AnyPeer {
  readonly kind: "node";
  /** The packages it needs, for their versions. */
  readonly packages: readonly string[];
  readonly measure: () => Promise<Measured>;
  /** Whether it runs under `@meanwhile/instrument`. Default: false. */
  readonly instrumented?: boolean;
}

/** A script in `bench/python/` that prints its figures as one line of JSON. */
export interface PythonPeer extends AnyPeer {
  readonly kind: "python";
  readonly script: string;
  readonly args?: readonly string[];
  /** The modules it needs, as they are imported. */
  readonly modules: readonly string[];
}

/** A program and its arguments. */
export type Command = readonly [string, ...string[]];

/** A program that is not ours to change: timed from its start to its end. */
export interface CommandPeer extends AnyPeer {
  readonly kind: "command";
  readonly command: () => Command;
  /** Prints the version on its first line. */
  readonly version: Command;
  readonly install: string;
  readonly measured: (stdout: string, seconds: number) => Measured;
}

export type Peer = NodePeer | PythonPeer | CommandPeer;

/** How one of ours has to compare with a peer, in the median of the rounds. */
export interface Target {
  readonly ours: string;
  readonly beside: string;
  /** The key of the figure compared. */
  readonly figure: string;
  /**
   * `cost` is ours / theirs, at most `limit`; `speed` is how many times faster ours is, at least `limit`; `added` is
   * ours - theirs, at most `limit`.
   */
  readonly compares: "cost" | "speed" | "added";
  readonly limit: number;
}

/** Something that has to run beside the peers. */
export interface Server {
  /** Why it cannot be started on this machine, with the remedy; null if it can. */
  readonly missing: () => string | null;
  /** Starts it. What the peers must know, like its address, goes into `process.env`. Disposing the result stops it. */
  readonly start: () => Promise<AsyncDisposable>;
}

export interface Row {
  readonly name: string;
  readonly title: string;
  /** What is measured and why it is fair; printed in the README. */
  readonly about: string;
  /** The first one is drawn. Peak memory is always added as the last. */
  readonly figures: readonly Figure[];
  /** At most so many rounds, for work that takes long and varies little. */
  readonly rounds?: number;
  /** Whether our packages are measured as they are published, not as sources: where loading them counts. */
  readonly isBuilt?: boolean;
  readonly server?: Server;
  readonly peers: readonly Peer[];
  readonly targets: readonly Target[];
}

export function targetText(target: Target): string {
  const { ours, beside, compares, limit } = target;
  if (compares === "added") return `${ours} <= ${beside} + ${limit}`;
  return compares === "cost" ? `${ours} <= ${limit} x ${beside}` : `${ours} >= ${limit} x as fast as ${beside}`;
}
