// `statement_timeout` follows the deadline around a statement, as a second belt: a statement whose deadline has passed is ended
// by a request to cancel, and if that cannot be made any more, because this process has died or the network has, by the
// server itself, a little later.
//
// The server is told in front of what is run, in the same write, and only when what it was told last does not do any more:
// it is told a power of two, so that deadlines may come nearer without it. It never gets more time than it is configured to
// give, and nothing stays for the next user of the connection who has no deadline. Whoever sets it himself is left alone from
// then on, until the pool has reset the connection; what a function of his sets is not seen.

import { currentScopeNode } from "meanwhile/lowlevel";

import type { Submittable } from "./driver.ts";
import type { TransactionState } from "./link.ts";
import { changesSession, RESET_SQL } from "./session-state.ts";

/** By how much the server waits longer than we do: it must never be the first. */
const LATER_MS = 1_000;
/** How much longer than needed is still good enough. */
const GENEROSITY = 16;
/** Not worth telling. */
const LONGEST_MS = 86_400_000;

/** A command whose answer is for nobody. */
export class Unheard implements Submittable {
  readonly #done: () => void;

  /** @param done - called when what comes next belongs to the next one */
  constructor(done: () => void) {
    this.#done = done;
  }

  handleReadyForQuery(): void {
    this.#done();
  }

  handleError(): void {
    this.#done();
  }

  submit(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
  handleCopyInResponse(): void {}
  handleCopyData(): void {}
}

/** The time that is left until the nearest deadline around the running code, in milliseconds; `Infinity` if there is none. */
export function remainingMs(): number {
  const scope = currentScopeNode();
  let nearest = Infinity;
  for (let around: typeof scope | null = scope; around !== null; around = around.shielded ? null : around.parent) {
    if (around.deadline < nearest) nearest = around.deadline;
  }
  return nearest === Infinity ? Infinity : nearest - scope.runner.clock.now();
}

/** What one connection was told. */
export class ServerTimeout {
  // What the session was told; 0 for nothing, so that the configuration counts; NaN if that is not known.
  #session = 0;
  // Whether that does not count until the end of the transaction.
  #isOffInTransaction = false;
  // Somebody has said SET: it may have been this setting, and his word counts.
  #isTheirs: boolean;
  readonly #isOff: boolean;

  /** @param isOff - whether the server is never told */
  constructor(isOff: boolean) {
    this.#isTheirs = isOff;
    this.#isOff = isOff;
  }

  /** The command to run first; null if what the server knows will do. */
  commandFor(remaining: number, transaction: TransactionState): string | null {
    if (this.#isTheirs || (remaining === Infinity && this.#session === 0)) return null;
    if (transaction !== "none") return transaction === "active" ? this.#inTransaction(remaining) : null;
    this.#isOffInTransaction = false;
    const needed = remaining + LATER_MS;
    if (remaining > LONGEST_MS) return this.#change(0);
    const wanted = 2 ** Math.ceil(Math.log2(Math.max(needed, LATER_MS)));
    const isGoodEnough = this.#session >= needed && this.#session <= wanted * GENEROSITY;
    return isGoodEnough ? null : this.#change(wanted);
  }

  /** What was to be told was not sent. */
  forget(): void {
    this.#session = Number.NaN;
  }

  /** This is sent next. */
  runs(text: string, args: ReadonlyArray<unknown>): void {
    if (!this.#isTheirs && changesSession(text) && setsTimeout(text, args)) this.#isTheirs = true;
  }

  /** A user has changed the session, or the pool has reset it. */
  changed(tag: string, text: string): void {
    if (tag === "RESET" && text.startsWith(RESET_SQL)) this.#isTheirs = this.#isOff;
    if (tag === "RESET" || tag === "DISCARD ALL") this.#session = Number.NaN;
    else if (tag === "SET" && /statement_timeout/i.test(text)) this.#isTheirs = true;
  }

  /** What was told in a transaction does not stand any more. */
  rolledBack(): void {
    this.#isOffInTransaction = false;
  }

  /** What was told for a shorter time must not end what has more. */
  #inTransaction(remaining: number): string | null {
    if (this.#session === 0 || this.#isOffInTransaction || this.#session >= remaining + LATER_MS) return null;
    this.#isOffInTransaction = true;
    return "set local statement_timeout to default";
  }

  #change(wanted: number): string | null {
    if (wanted === this.#session) return null;
    this.#session = wanted;
    const reset = "reset statement_timeout";
    if (wanted === 0) return reset;
    return `${reset}; select set_config('statement_timeout', '${wanted}', false)
      where extract(epoch from current_setting('statement_timeout')::interval) * 1000 not between 1 and ${wanted}`;
  }
}

const NAME = /statement_timeout/i;
// What neither SET nor its tag is. A name that is neither written there nor an argument is any.
const CALL = /\b(?:set_config|pg_settings|do|call)\b/i;
const UNKNOWN_NAME = /\bset_config"?\s*\(\s*(?!['$])/i;

function setsTimeout(text: string, args: ReadonlyArray<unknown>): boolean {
  if (!CALL.test(text)) return false;
  return NAME.test(text) || UNKNOWN_NAME.test(text) || args.some((arg) => typeof arg === "string" && NAME.test(arg));
}
