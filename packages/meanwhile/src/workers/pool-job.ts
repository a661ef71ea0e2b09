// One job of a pool, from the call to its end.
//
//   queued ──sent──▶ sent ──reply, cancellation or death of the worker──▶ done
//     ▲ │             │
//     │ └─cancelled───┼──────────────────────────────────────────────────▲
//     └───────────────┘ taken back, or its worker died before it began (or whenever, if it is idempotent)
//
// Whether a job that was sent has begun is written in the ledger of its worker, and only there. A hundred thousand jobs may
// wait, so each field counts: what nearly all have in common is shared, in their terms.

import type { RemoteJob, Waiter, WaitTarget } from "../lowlevel.ts";
import { invariant } from "../util/invariant.ts";
import type { Linked } from "../util/linked-list.ts";
import { FunctionSource } from "./function-source.ts";
import { lookAt } from "./look.ts";
import type { PoolWorker } from "./pool-worker.ts";

/** Who is told of jobs. Of the first three exactly one is called for each job, once. */
export interface JobListener {
  succeeded(job: PoolJob, value: unknown): void;
  /** @param makeError - called where the error is thrown, so that its stack shows who waits; or given the place of the call */
  failed(job: PoolJob, makeError: (site?: Error) => unknown): void;
  /** As was asked, or by its own code. */
  cancelled(job: PoolJob): void;
  progressed(job: PoolJob, value: unknown): void;
}

/** How a job is to be run. */
export interface JobTerms {
  /** Whether the function is called for each item of the first argument. */
  readonly isEach: boolean;
  /** What is moved, not copied. */
  readonly transfer: readonly object[];
  /** The time, on the scale of `performance.now()`, at which the caller stops waiting; it is told to the worker. */
  readonly deadline: number;
  readonly isIdempotent: boolean;
  /** How long a cancelled job may go on. */
  readonly graceMs: number;
}

const { clearTimeout } = globalThis;

type State = "queued" | "sent" | "done";

const NEXT: Readonly<Record<State, readonly State[]>> = {
  queued: ["sent", "done"],
  sent: ["queued", "done"],
  done: [],
};

/** The pool's side of a job. */
export class PoolJob implements Linked<PoolJob>, WaitTarget {
  previous: PoolJob | null = null;
  next: PoolJob | null = null;
  list: object | null = null;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly terms: JobTerms;
  readonly listener: JobListener;
  /** For calls: who waits. */
  waiter: Waiter<unknown> | null = null;
  /** Where the job is. Changed only by {@link become}. */
  state: State = "queued";
  /** The worker it was sent to. Invariant: null unless it is sent. */
  worker: PoolWorker | null = null;
  /** Its place there; -1 unless it is sent. */
  slot = -1;
  /** Whether something was moved with it when it was sent: then it can be sent only once. */
  isMoved = false;
  /** How many workers have died of it, as far as one can know. */
  deaths = 0;
  /** Why it has failed, whatever comes of it; null if nothing is known against it. */
  spoilt: string | null = null;
  /** Set when its end was asked for. */
  cancel: PendingCancel | null = null;

  constructor(name: string, args: readonly unknown[], terms: JobTerms, listener: JobListener) {
    this.name = name;
    this.args = args;
    this.terms = terms;
    this.listener = listener;
  }

  /** Moves on. */
  become(state: State): void {
    invariant(NEXT[this.state].includes(state), `a job of a pool went from ${this.state} to ${state}`);
    this.state = state;
    if (state === "sent") return;
    this.worker = null;
    this.slot = -1;
    if (this.cancel !== null) clearTimeout(this.cancel.graceTimer);
  }

  /** As something that is waited for. */
  describe(): string {
    const name = this.functionName;
    return this.state === "queued" ? `a worker for "${name}"` : `"${name}" in a worker`;
  }

  /** What is called, for people. */
  get functionName(): string {
    const source = this.args.at(-1);
    return source instanceof FunctionSource ? source.name || "a function" : this.name;
  }

  /** Asks its worker what it does. */
  remote(): Promise<RemoteJob> {
    return lookAt(this);
  }

  /** A clock of a test does not jump over it. */
  get foreign(): boolean {
    return true;
  }
}

/** That the end of a job was asked for. */
export interface PendingCancel {
  /** The end of the time it has to end. */
  graceTimer: ReturnType<typeof setTimeout> | undefined;
}
