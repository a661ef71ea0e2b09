// A connection of a pool in somebody's hands. He gives it back; if he forgets to and forgets it, that is noticed.

import { Connection } from "./connection.ts";
import { unwatch } from "./leaks.ts";
import type { Member } from "./member.ts";
import type { Members } from "./members.ts";
import { Session } from "./session.ts";
import type { Trace } from "./trace.ts";

const DONE: Promise<void> = Promise.resolve();

/**
 * A {@link Connection} of a pool. Leaving its block gives it back: a transaction that is open is rolled back, and what was
 * changed of the session is undone, as the pool's option `reset` says.
 *
 * @example
 * ```ts
 * import { createPool } from "@meanwhile/postgres";
 *
 * await using pool = createPool();
 * {
 *   await using connection = await pool.acquire();
 *   await connection.execute("set time zone 'Asia/Tokyo'");
 * }
 * console.log(await pool.fetchValue("show time zone") === "Asia/Tokyo"); //> false
 * ```
 */
export class PooledConnection extends Connection {
  readonly #member: Member;
  readonly #members: Members;
  readonly #held: Session;
  // Null while it is in somebody's hands.
  #releasing: Promise<void> | null = null;
  // From when on the connection is the pool's, or another user's.
  #isGone = false;

  /** @internal */
  constructor(member: Member, members: Members, trace: Trace) {
    const session = new Session(member.link, trace);
    super(session);
    this.#held = session;
    this.#member = member;
    this.#members = members;
    members.lend(member, this);
  }

  /**
   * Gives it back. What still runs is waited for. Never throws; doing it again does nothing more.
   *
   * Cancellation: safe. What runs is ended on the server, and making it ready for the next one is not interrupted; it has
   * `resetTimeoutMs`.
   */
  release(): Promise<void> {
    return this.#releasing ?? this.#release();
  }

  /**
   * Closes it, so that the pool opens another one when it needs one. What runs is waited for. One that was given back is
   * the pool's, and stays open.
   *
   * Cancellation: safe. As in `release`.
   */
  override async close(): Promise<void> {
    if (!this.#isGone) this.#member.isExpired = true;
    await this.release();
  }

  /** Ends it at once, unless it was given back. Whoever waits for something on it gets `MW_ERR_PG_CLOSED`. */
  override terminate(): void {
    if (!this.#isGone) this.#member.link.destroy();
    this.release().catch(nothing);
  }

  /**
   * The same as `release()`.
   *
   * Cancellation: safe. As in `release`.
   */
  override [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #release(): Promise<void> {
    // For what gives it back again meanwhile.
    this.#releasing = DONE;
    if (this.#member.borrower === null) unwatch(this);
    this.#member.borrower = null;
    const running = this.finish("was given back to its pool");
    this.#releasing = running === undefined ? (this.#giveBack() ?? DONE) : this.#giveBackAfter(running);
    return this.#releasing;
  }

  #giveBack(): Promise<void> | undefined {
    this.#isGone = true;
    this.#held.leave();
    this.#member.isTouched = this.#held.isTouched;
    return this.#members.giveBack(this.#member);
  }

  async #giveBackAfter(running: Promise<void>): Promise<void> {
    await running;
    await this.#giveBack();
  }
}

// It never rejects.
function nothing(): void {}
