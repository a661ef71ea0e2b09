// An operation that runs a prepared statement: prepares it first, where this connection has not yet done so.
//
//   parsing ──types of the parameters, columns──▶ executing
//
// Parse and Describe are followed by Flush and not by Sync, so that all of it is one exchange: a PgBouncer must not give the
// two halves to two servers. Who has no arguments does not wait in between.

import { type FailedStatement, PostgresError, type ServerFields } from "./errors.ts";
import { writer } from "./message-writer.ts";
import { type Field, Operation } from "./operation.ts";
import { Statement } from "./statement.ts";
import { wrongCount } from "./value-errors.ts";
import type { Wire } from "./wire.ts";

/** The server has forgotten the statement. */
const UNKNOWN_STATEMENT = "26000";
const NOT_SUPPORTED = "0A000";
/** Where servers say that the columns of a prepared statement have changed. */
const REVALIDATION = "RevalidateCachedQuery";
const OUTDATED = "what is known of the prepared statement is out of date";
const PREPARE_AGAIN = `${OUTDATED}; prepare it again`;
const RUN_AGAIN = `${OUTDATED}; run the transaction again, and it is prepared anew`;

const SYNC: Buffer = writer.sync().take();

export abstract class StatementOperation<R> extends Operation<R> {
  override readonly args: ReadonlyArray<unknown>;
  /** The statement it runs; null until it is prepared. */
  protected statement: Statement | null;
  // Whether the server will say by itself that it is ready.
  protected isSynced = false;
  /** Whether the statement is for somebody who keeps it. */
  protected readonly isToBeHeld: boolean = false;
  #name = "";
  #parameters: number[] | null = null;
  // Whether the statement was prepared before: what the server knows of it may be out of date.
  #isFromCache = false;
  #isRetried = false;

  /** @param held - a statement that was prepared for somebody, on the same connection */
  constructor(text: string, args: ReadonlyArray<unknown>, held: Statement | null = null) {
    super(text);
    this.args = args;
    // One without a name is gone by now.
    this.statement = held?.name === "" ? null : held;
  }

  /** Sends what runs the statement. Throws if an argument cannot be sent. */
  protected abstract execute(wire: Wire, statement: Statement): void;

  /** What follows Parse and Describe at once, for one that needs no types; false if there is none. */
  protected executeUnseen(_name: string): boolean {
    return false;
  }

  protected override send(wire: Wire): void {
    this.statement ??= wire.statements.get(this.text) ?? null;
    this.#isFromCache = this.statement !== null;
    if (this.statement !== null) return this.execute(wire, this.statement);
    this.#name = wire.statements.nameFor(this.text, this.isToBeHeld);
    wire.statements.tellForgotten(writer);
    writer.parse(this.#name, this.text).describeStatement(this.#name);
    this.isSynced = this.executeUnseen(this.#name);
    if (!this.isSynced) writer.flush();
    wire.write(writer.take());
  }

  /** Ends the exchange early. */
  protected sync(): void {
    if (this.isSynced) return;
    this.isSynced = true;
    this.wire?.write(SYNC);
  }

  protected override failed(): FailedStatement {
    const { text, args, statement } = this;
    if (!this.#isFromCache || !isOutdated(this.failure)) return { text, args };
    return { text, args, advice: statement?.isHeld === true ? PREPARE_AGAIN : RUN_AGAIN };
  }

  override refuse(error: Error & ServerFields): void {
    super.refuse(error);
    this.sync();
  }

  override mayRetry(isInTransaction: boolean): boolean {
    const { statement, failure, wire } = this;
    if (!this.#isFromCache || statement === null || wire === null || !isOutdated(failure)) return false;
    wire.statements.drop(statement);
    // A held one is its holder's, and has to be prepared anew by him. In a transaction everything fails from here on.
    if (isInTransaction || statement.isHeld || this.#isRetried) return false;
    this.#isRetried = true;
    this.failure = null;
    this.statement = null;
    this.isSynced = false;
    this.forget();
    return true;
  }

  /** Forgets what has come so far: it begins again. */
  protected forget(): void {}

  override handleParameters(oids: number[]): void {
    this.#parameters = oids;
  }

  override handleRowDescription({ fields }: { readonly fields: Field[] }): void {
    this.#prepared(fields);
  }

  override handleNoData(): void {
    this.#prepared(null);
  }

  /** COPY needs somebody who writes. The Sync that was sent is lost: the server reads on until the end of the copy. */
  override handleCopyInResponse(): void {
    this.wire?.write(writer.copyFail("COPY FROM STDIN needs copyFrom()").sync().take());
  }

  #prepared(fields: Field[] | null): void {
    const { wire } = this;
    const parameters = this.#parameters;
    if (wire === null || parameters === null || this.statement !== null) return;
    const statement = new Statement({ name: this.#name, text: this.text }, parameters, fields, wire.settled.types);
    this.statement = statement;
    wire.statements.add(statement);
    if (this.isSynced) {
      // What was sent unseen has no arguments: the server will refuse it, and less clearly.
      if (parameters.length > 0) this.failure ??= wrongCount(this.text, 0, parameters.length);
      return;
    }
    if (wire.isInterrupted) return this.sync();
    try {
      this.execute(wire, statement);
    } catch (error) {
      writer.cut(0);
      this.failure ??= asError(error);
      this.sync();
    }
  }
}

/** For what callbacks of users throw: it may be anything. */
export function asError(error: unknown): Error {
  if (error instanceof Error) return error;
  return new PostgresError("MW_ERR_PG_INVALID_ARGUMENT", "Cannot send the arguments: what gives them threw", {
    cause: error,
  });
}

function isOutdated(failure: Error | null): boolean {
  if (failure === null || !("code" in failure)) return false;
  if (failure.code === UNKNOWN_STATEMENT) return true;
  return failure.code === NOT_SUPPORTED && "routine" in failure && failure.routine === REVALIDATION;
}
