// A call of Condition.wait().
//
//   in #unnotified ──notify──▶ lined up for the lock ──▶ holds it, and returns
//        └────cancelled────▶ lined up for the lock ──▶ holds it, and throws
//
// One wait for both halves: in the second its abort function says "wait", so that no cancellation ends it before the lock is
// held. Waiting twice, the second time in a shielded scope, would wake every notified task only to queue up for the lock.

import type { Abort, Task, Waiter, WaitTarget } from "../lowlevel.ts";
import { invariant } from "../util/invariant.ts";
import type { LinkedList } from "../util/linked-list.ts";
import type { Mutex, MutexPermit, Successor } from "./mutex.ts";

/** One who has given a mutex back until it is notified. */
export class ConditionWait implements Successor, WaitTarget {
  previous: Successor | null = null;
  next: Successor | null = null;
  list: object | null = null;
  readonly permit: MutexPermit;
  readonly #mutex: Mutex;
  readonly #unnotified: LinkedList<Successor>;
  #waiter: Waiter<void> | null = null;
  #cancelled = false;

  constructor(unnotified: LinkedList<Successor>, mutex: Mutex, permit: MutexPermit) {
    this.#unnotified = unnotified;
    this.#mutex = mutex;
    this.permit = permit;
  }

  /** Gives the mutex back, which `permit` must hold. Returns what to do when the wait is cancelled. */
  begin(waiter: Waiter<void>): Abort {
    this.#waiter = waiter;
    this.#unnotified.push(this);
    this.#mutex.passOn();
    return () => this.#interrupted();
  }

  #interrupted(): void | "wait" {
    // Notified before: the lock comes, and with it what was waited for.
    if (!this.#unnotified.remove(this)) return "wait";
    if (this.#mutex.held === null) {
      this.#mutex.held = this.permit;
      return undefined;
    }
    this.#cancelled = true;
    this.#mutex.lineUp(this);
    return "wait";
  }

  proceed(): void {
    const waiter = this.#waiter;
    invariant(waiter !== null, "a wait on a condition was lined up before it began");
    // A wait that nobody awaits can have outlived the scope that was cancelled: then there is nothing to throw.
    if (!this.#cancelled || waiter.scope === null || waiter.scope.effective === null) {
      waiter.wake();
      return;
    }
    waiter.abort = null; // the wait can end now
    waiter.interrupt();
  }

  // Not yet, in the moment before it begins.
  get #isLinedUp(): boolean {
    return this.list !== null && this.list !== this.#unnotified;
  }

  describe(): string {
    if (!this.#isLinedUp) return "Condition.wait (to be notified)";
    return `Condition.wait (${this.#cancelled ? "cancelled" : "notified"}; its lock is ${this.#mutex.describeHolder()})`;
  }

  holders(): Iterable<Task<unknown>> {
    return this.#isLinedUp ? this.#mutex.holders() : [];
  }
}
