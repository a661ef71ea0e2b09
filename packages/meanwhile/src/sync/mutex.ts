// Who holds a lock and who is next: what Lock and Condition share. A wait on a condition ends as a wait for the lock, so
// a notified task is moved from one queue to the other instead of being woken to queue up itself.

import { UsageError } from "../errors.ts";
import type { Abort, Task } from "../lowlevel.ts";
import { LinkedList, type Linked } from "../util/linked-list.ts";
import type { Permit } from "./permit.ts";

/** One who waits to hold the mutex. */
export interface Successor extends Linked<Successor> {
  /** What it will hold the mutex with. */
  readonly permit: MutexPermit;
  /** It holds the mutex now. */
  proceed(): void;
}

/** The right to hold a mutex. A wait on a condition gives the mutex back for a time, but not the permit. */
export class MutexPermit implements Permit {
  /** The task that asked for it; null outside of tasks. */
  readonly owner: Task<unknown> | null;
  // Null once the permit was given back.
  #mutex: Mutex | null;

  constructor(mutex: Mutex, owner: Task<unknown> | null) {
    this.#mutex = mutex;
    this.owner = owner;
  }

  release(): void {
    const mutex = this.#mutex;
    if (mutex === null) return;
    if (mutex.held !== this) throw givenBackByWait();
    this.#mutex = null;
    mutex.passOn();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Held by one permit at a time, by others in the order in which they lined up. */
export class Mutex {
  /** The permit that holds it. Invariant: null implies that nobody is lined up. */
  held: MutexPermit | null = null;
  readonly #successors = new LinkedList<Successor>();

  /** How many are lined up. */
  get waiting(): number {
    return this.#successors.size;
  }

  /** The task that holds it; null if none does. */
  get owner(): Task<unknown> | null {
    return this.held === null ? null : this.held.owner;
  }

  /** Adds one who waits; somebody else must hold the mutex. Returns how to take it back. */
  lineUp(successor: Successor): Abort {
    this.#successors.push(successor);
    return () => void this.#successors.remove(successor);
  }

  /** Ends the holding: whoever has waited longest holds it from now on, so that no newcomer can overtake. */
  passOn(): void {
    const next = this.#successors.shift();
    this.held = next === null ? null : next.permit;
    next?.proceed();
  }

  /** Who holds it, for dumps. */
  describeHolder(): string {
    const { owner } = this;
    return owner === null ? "held outside of tasks" : `held by task ${owner.id} "${owner.name}"`;
  }

  /** The task that can end the wait for it. */
  holders(): Iterable<Task<unknown>> {
    return this.owner === null ? [] : [this.owner];
  }
}

function givenBackByWait(): UsageError {
  return new UsageError(
    "MW_ERR_NOT_HELD",
    "Cannot release the lock: a wait on its condition has given it back until it is notified; await wait() before the block ends",
  );
}
