// Limits how much is under way at once, and knows who is at it; the limit can be changed at any time.
// Built only on lowlevel.ts: a user could have written this file. Keep it so.

import { UsageError } from "../errors.ts";
import { currentScopeNode, suspend, type Task, TaskNode } from "../lowlevel.ts";
import { badArgument, isCount } from "../util/arguments.ts";
import { LinkedList } from "../util/linked-list.ts";
import { show } from "../util/show.ts";
import { atCheckpoint } from "./at-checkpoint.ts";
import { OncePermit, type Permit } from "./permit.ts";
import { Place } from "./place.ts";

/** For whom a token of a {@link CapacityLimiter} is. */
export interface BorrowOptions {
  /** Who holds the token: anything that can be told apart with `===`. Default: the current task. */
  readonly onBehalfOf?: {} | undefined;
}

/** A snapshot of a {@link CapacityLimiter}. */
export interface CapacityLimiterStatistics {
  /** How many tokens are held. */
  readonly borrowedTokens: number;
  /** How many may be held at once. */
  readonly totalTokens: number;
  /** Who holds one, oldest first: tasks, what was given as `onBehalfOf`, and a symbol for a call outside of tasks. */
  readonly borrowers: readonly unknown[];
  /** How many borrowers wait for one. */
  readonly tasksWaiting: number;
}

/**
 * A semaphore that knows its borrowers: each holds one token at most. `totalTokens` can be changed while tokens are out:
 * raising it lets waiters in, lowering it lets nobody in until enough tokens came back. Waiters are served in the order
 * they asked.
 *
 * @see {@link https://trio.readthedocs.io/en/stable/reference-core.html#trio.CapacityLimiter}
 *
 * @example
 * ```ts
 * import { CapacityLimiter } from "meanwhile";
 *
 * const uploads = new CapacityLimiter(1);
 * using first = await uploads.acquire({ onBehalfOf: "ada" });
 * console.log(uploads.tryAcquire({ onBehalfOf: "grace" })); //> undefined
 * uploads.totalTokens = 2;
 * using second = await uploads.acquire({ onBehalfOf: "grace" });
 * console.log(uploads.statistics().borrowers); //> [ 'ada', 'grace' ]
 * ```
 */
export class CapacityLimiter {
  #totalTokens: number;
  // Invariants: a borrower is in one of the two sets at most; #queued has the holders in #waiting. If somebody waits, all
  // tokens are held: one that is given back is the longest waiter's before its task resumes, so nobody can take it twice.
  readonly #borrowers = new Set<unknown>();
  readonly #queued = new Set<unknown>();
  readonly #waiting = new LinkedList<Place<Permit, OncePermit<unknown>>>();
  readonly #takeBack = (borrower: unknown): void => {
    this.#borrowers.delete(borrower);
    this.#letIn();
  };
  readonly #target = {
    describe: (): string =>
      `CapacityLimiter.acquire (${this.#borrowers.size} of ${this.#totalTokens} tokens are borrowed)`,
    holders: (): Iterable<Task<unknown>> => this.#borrowers.values().filter((borrower) => borrower instanceof TaskNode),
  };

  /**
   * @param totalTokens - how many tokens may be held at once; an integer >= 0, or `Infinity`
   * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `totalTokens` is anything else
   */
  constructor(totalTokens: number) {
    checkTotal("create CapacityLimiter", totalTokens);
    this.#totalTokens = totalTokens;
  }

  /**
   * How many tokens may be held at once; an integer >= 0, or `Infinity`. Set to less than are held, it waits for them to
   * come back and takes none away.
   *
   * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if it is set to anything else
   */
  get totalTokens(): number {
    return this.#totalTokens;
  }

  set totalTokens(totalTokens: number) {
    checkTotal("change CapacityLimiter", totalTokens);
    this.#totalTokens = totalTokens;
    this.#letIn();
  }

  /** How many tokens are held. */
  get borrowedTokens(): number {
    return this.#borrowers.size;
  }

  /** How many tokens can be taken now. */
  get availableTokens(): number {
    return Math.max(0, this.#totalTokens - this.#borrowers.size);
  }

  /**
   * Waits for a token and takes it.
   *
   * Cancellation: safe. A borrower cancelled while waiting loses its place and holds no token.
   *
   * @returns the permit; `using` gives the token back
   * @throws {@link UsageError} `MW_ERR_ALREADY_HELD` if the borrower holds a token, or waits for one
   * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `onBehalfOf` is null
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  acquire(options: BorrowOptions = {}): Promise<Permit> {
    return atCheckpoint(() => {
      const borrower = this.#borrowerOf(options);
      const permit = new OncePermit(this.#takeBack, borrower);
      if (this.#borrowers.size >= this.#totalTokens) return this.#wait(permit);
      this.#borrowers.add(borrower);
      return Promise.resolve(permit);
    });
  }

  /**
   * Takes a token if one can be had without waiting; undefined if none can.
   *
   * @throws {@link UsageError} `MW_ERR_ALREADY_HELD` if the borrower holds a token, or waits for one
   * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `onBehalfOf` is null
   */
  tryAcquire(options: BorrowOptions = {}): Permit | undefined {
    const borrower = this.#borrowerOf(options);
    if (this.#borrowers.size >= this.#totalTokens) return undefined;
    this.#borrowers.add(borrower);
    return new OncePermit(this.#takeBack, borrower);
  }

  /** A snapshot for dumps and tests. */
  statistics(): CapacityLimiterStatistics {
    return {
      borrowedTokens: this.#borrowers.size,
      totalTokens: this.#totalTokens,
      borrowers: [...this.#borrowers],
      tasksWaiting: this.#waiting.size,
    };
  }

  #wait(permit: OncePermit<unknown>): Promise<Permit> {
    return suspend<Permit>((waiter) => {
      const place = new Place(waiter, permit);
      this.#waiting.push(place);
      this.#queued.add(permit.holder);
      return () => {
        this.#waiting.remove(place);
        this.#queued.delete(permit.holder);
      };
    }, this.#target);
  }

  // The tokens that can be had go to the longest waiters.
  #letIn(): void {
    while (this.#borrowers.size < this.#totalTokens) {
      const place = this.#waiting.shift();
      if (place === null) return;
      const permit = place.cargo;
      this.#queued.delete(permit.holder);
      this.#borrowers.add(permit.holder);
      place.waiter.wake(permit);
    }
  }

  // Outside of tasks nobody can be told apart, so each call is a borrower of its own.
  #borrowerOf({ onBehalfOf }: BorrowOptions): unknown {
    if (onBehalfOf === null) {
      throw badArgument(
        "borrow a token",
        "onBehalfOf",
        onBehalfOf,
        "who is to hold it, or nothing for the current task",
      );
    }
    const borrower = onBehalfOf ?? currentScopeNode().task ?? Symbol("outside of tasks");
    const holds = this.#borrowers.has(borrower);
    if (holds || this.#queued.has(borrower)) throw alreadyHeld(borrower, holds ? "holds one" : "waits for one");
    return borrower;
  }
}

function checkTotal(what: string, totalTokens: unknown): void {
  if (totalTokens === Infinity || isCount(totalTokens, 0)) return;
  throw badArgument(what, "totalTokens", totalTokens, "an integer >= 0, or Infinity for no limit");
}

function alreadyHeld(borrower: unknown, state: string): UsageError {
  const who = borrower instanceof TaskNode ? `task ${borrower.id} "${borrower.name}"` : show(borrower);
  return new UsageError(
    "MW_ERR_ALREADY_HELD",
    `Cannot borrow a second token for ${who}: it ${state}; give that back first, or say with onBehalfOf who else it is for`,
  );
}
