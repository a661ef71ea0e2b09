// A connection in somebody's hands: what he runs goes through here, until he has given it back.
//
//   open ──end──▶ over ──leave──▶ gone        a prepared statement or a cursor of his is over with it
//
// While it is over what he has begun may still run; once it is gone, what runs on the link is another one's.
//
// A transaction is begun on the server by its first statement: until then what opens it waits here.
//
//   nothing ──opens──▶ waiting ──first statement──▶ beginning ──▶ nothing      or waiting again, if it could not be begun

import { cancellable, isCancelled, shield } from "meanwhile";
import { enterCheckpoint } from "meanwhile/lowlevel";

import { PostgresError } from "./errors.ts";
import type { Link } from "./link.ts";
import type { Operation } from "./operation.ts";
import { changesSession } from "./session-state.ts";
import { quoted } from "./statement-text.ts";
import { command } from "./statements.ts";
import type { Trace } from "./trace.ts";

/** How much longer than a cancelled statement may take it is waited for its end. */
const SLACK_MS = 500;

export class Session {
  readonly link: Link;
  readonly trace: Trace;
  /** How many transactions are open, one inside the other. */
  level = 0;
  /** Whether something may have changed what the next one would find. */
  isTouched = false;
  // What opens the transaction and was not sent yet; null if there is none.
  #opening: string | null = null;
  // Whether it is on its way: the server has not said that it has begun.
  #isBeginning = false;
  // Why it is over; null while it is open.
  #end: string | null = null;
  #isGone = false;
  // What was begun last: it may still run. Never what was refused because something runs.
  #newest: Promise<unknown> | null = null;
  // Ends what its user reads or writes bit by bit, if that is not over.
  #endStream: (() => Promise<void>) | null = null;

  constructor(link: Link, trace: Trace) {
    this.link = link;
    this.trace = trace;
  }

  get isOver(): boolean {
    return this.#end !== null;
  }

  /** Runs what `make` makes. Whatever is wrong is a rejection, as in an async function. */
  run<R>(make: () => Operation<R>): Promise<R> {
    try {
      const operation = make();
      this.touch(operation.text);
      const turn = enterCheckpoint();
      return turn === null ? this.#begin(operation) : this.#beginAfter(turn, operation);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** It may be over when the turn has come. */
  async #beginAfter<R>(turn: Promise<void>, operation: Operation<R>): Promise<R> {
    await turn;
    this.touch(operation.text);
    return this.#begin(operation);
  }

  #begin<R>(operation: Operation<R>): Promise<R> {
    const { link, trace } = this;
    const isRefused = link.status === "busy";
    const running = trace.isOn
      ? trace.around(link.pid, operation.text, () => this.#send(operation), rowsIn)
      : this.#send(operation);
    if (!isRefused) this.#newest = running;
    return running;
  }

  #send<R>(operation: Operation<R>): Promise<R> {
    const opening = this.#opening;
    return opening === null || this.link.status !== "idle"
      ? this.link.runAtOnce(operation)
      : this.#sendOpening(operation, opening);
  }

  async #sendOpening<R>(operation: Operation<R>, opening: string): Promise<R> {
    if (operation.opensWith(opening)) return await this.#begins(operation, opening);
    await this.opened();
    this.touch(operation.text);
    return await this.link.runAtOnce(operation);
  }

  /** Runs what begins the transaction. Nothing must run outside of it because that has failed. */
  async #begins<R>(operation: Operation<R>, opening: string): Promise<R> {
    const { link } = this;
    try {
      const running = link.runAtOnce(operation);
      this.#isBeginning = link.status === "busy";
      if (this.#isBeginning) this.#opening = null;
      return await running;
    } catch (error) {
      // Unless its body has ended without waiting for it.
      if (link.transaction === "none" && this.level > 0) this.#opening = opening;
      throw error;
    } finally {
      this.#isBeginning = false;
    }
  }

  /** Begins a transaction with `text`, which is sent with what is run next. */
  opens(text: string): void {
    this.#opening = text;
  }

  /** There is no transaction to begin any more. Whether there was one that was not begun. */
  opensNothing(): boolean {
    const isUnsent = this.#opening !== null;
    this.#opening = null;
    return isUnsent;
  }

  /** Begins the transaction on the server, if that was left to what is run next. */
  async opened(): Promise<void> {
    const opening = this.#opening;
    if (opening === null) return;
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    if (this.link.status === "idle") await this.#begins(command(opening), opening);
  }

  /** Whether a transaction is open, on the server or not yet. */
  get isInTransaction(): boolean {
    return this.#opening !== null || this.#isBeginning || this.link.transaction !== "none";
  }

  /** Runs one of our own statements, which changes nothing of the session. */
  command(text: string): Promise<unknown> {
    return this.run(() => command(text));
  }

  /** Something else than `run` is about to send this. */
  touch(text: string): void {
    if (this.#end !== null) throw sessionIsOver(this.#end, text);
    if (!this.isTouched && changesSession(text)) this.isTouched = true;
  }

  /** Something is about to be read or written bit by bit, and this is how it is ended. While something runs it is refused. */
  streams(endStream: () => Promise<void>): void {
    if (this.link.status !== "busy") this.#endStream = endStream;
  }

  /** From here on nothing can be run. */
  end(why: string): void {
    this.#end ??= why;
  }

  /** The link is not his any more. */
  leave(): void {
    this.#isGone = true;
  }

  /** Ends the connection, if it is still his: whoever has ended the session sees to it otherwise. */
  abandon(): void {
    if (!this.isOver) this.link.destroy();
  }

  /**
   * Waits until nothing runs. In a scope that is cancelled it waits only as long as a cancelled statement may take, and
   * ends the connection if something runs even then. Never throws.
   */
  async untilIdle(): Promise<void> {
    const { link } = this;
    if (link.status !== "busy") return;
    await this.#endStream?.();
    const newest = this.#newest;
    if (link.status !== "busy" || newest === null) return;
    try {
      await cancellable(newest);
    } catch (error) {
      if (isCancelled(error)) {
        const timeoutMs = link.settled.cancelTimeoutMs + SLACK_MS;
        await shield(() => cancellable(newest), { timeoutMs }).catch(nothing);
      }
    }
    if (link.status === "busy" && !this.#isGone) link.destroy();
  }
}

function nothing(): void {}

/** How many rows a result has. */
export function rowsIn(result: unknown): number {
  if (Array.isArray(result)) return result.length;
  if (typeof result === "number") return result;
  if (typeof result === "object" && result !== null && "rowCount" in result) return Number(result.rowCount);
  return result === undefined ? 0 : 1;
}

function sessionIsOver(why: string, text: string): PostgresError {
  return new PostgresError(
    "MW_ERR_PG_CLOSED",
    `Cannot run ${quoted(text)}: the connection ${why}; acquire another one`,
  );
}
