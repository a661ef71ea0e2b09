// A connection in somebody's hands: what he runs goes through here, until he has given it back.
//
//   open ──end──▶ over        a prepared statement or a cursor of his is over with it

import { cancellable, isCancelled, shield } from "meanwhile";

import { PostgresError } from "./errors.ts";
import type { Link } from "./link.ts";
import type { Operation } from "./operation.ts";
import { changesSession } from "./session-state.ts";
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
  // Why it is over; null while it is open.
  #end: string | null = null;
  // What was started last: it may still run.
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
      const { link, trace } = this;
      const running = trace.isOn
        ? trace.around(link.pid, operation.text, () => link.run(operation), rowsIn)
        : link.run(operation);
      this.#newest = running;
      return running;
    } catch (error) {
      return Promise.reject(error);
    }
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

  /** Something is read or written bit by bit from now on, and this is how it is ended. */
  streams(endStream: () => Promise<void>): void {
    this.#endStream = endStream;
  }

  /** From here on nothing can be run. */
  end(why: string): void {
    this.#end ??= why;
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
    if (this.link.status === "busy") link.destroy();
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
  const line = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return new PostgresError("MW_ERR_PG_CLOSED", `Cannot run "${line}": the connection ${why}; acquire another one`);
}
