// An operation that runs a prepared statement: prepares it first, where this connection has not yet done so.
//
//   parsing ──types of the parameters, columns──▶ executing
//
// Parse and Describe are followed by Flush and not by Sync, so that all of it is one exchange: a PgBouncer must not give the
// two halves to two servers. Who has no arguments does not wait in between.

import { askForBases } from "./base-types.ts";
import { type FailedStatement, PostgresError, type ServerFields } from "./errors.ts";
import { writer } from "./message-writer.ts";
import { type Field, Operation } from "./operation.ts";
import { Statement } from "./statement.ts";
import { tooMany, wrongCount } from "./value-errors.ts";
import type { Wire } from "./wire.ts";

/** The server has forgotten the statement. */
const UNKNOWN_STATEMENT = "26000";
const NOT_SUPPORTED = "0A000";
/** Where servers say that the columns of a prepared statement have changed. */
const REVALIDATION = "RevalidateCachedQuery";
/** What servers say where the types of parameters are not those that a column, an operator or a function has. */
const TYPE_ERRORS = new Set(["42804", "42846", "42883", "42P08", "42P18", "22P02", "22P03", "22003", "22007", "22008"]);
const OUTDATED = "what is known of the prepared statement is out of date";
const PREPARE_AGAIN = `${OUTDATED}; prepare it again`;
const RUN_AGAIN = `${OUTDATED}; run the transaction again, and it is prepared anew`;
/** The protocol counts them in two bytes. */
const MOST_ARGUMENTS = 65_535;

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
  // What is asked of types of the parameters that are not known; null unless it is just being asked.
  #question: Question | null = null;
  // Whether the statement was prepared before: what is known of it may be out of date.
  #isFromCache = false;
  // Whether it is his who runs it.
  readonly #isGiven: boolean;
  #isRetried = false;
  // What was known, and what was wrong with it; null unless it is to be found out whether that was out of date.
  #doubt: Doubt | null = null;

  /** @param held - a statement that was prepared for somebody, on the same connection */
  constructor(text: string, args: ReadonlyArray<unknown>, held: Statement | null = null) {
    super(text);
    this.args = args;
    // One without a name is gone by now.
    this.statement = held?.name === "" ? null : held;
    this.#isGiven = this.statement !== null;
  }

  /** Sends what runs the statement. Throws if an argument cannot be sent. */
  protected abstract execute(wire: Wire, statement: Statement): void;

  /** What follows Parse and Describe at once, for one that needs no types; false if there is none. */
  protected executeUnseen(_name: string): boolean {
    return false;
  }

  /** Whether it can be sent once more, with the same arguments. */
  protected get isRepeatable(): boolean {
    return true;
  }

  /** Sends what comes first. */
  protected sendFirst(wire: Wire, bytes: Buffer): void {
    wire.write(bytes);
  }

  protected override send(wire: Wire): void {
    if (this.args.length > MOST_ARGUMENTS) throw tooMany(this.text, this.args.length, MOST_ARGUMENTS);
    this.statement ??= wire.statements.get(this.text) ?? null;
    this.#isFromCache = this.statement !== null;
    if (this.statement === null || !this.#executeKnown(wire, this.statement)) this.#prepare(wire);
  }

  /** False if the arguments do not fit what is known of the statement, which may be out of date. */
  #executeKnown(wire: Wire, statement: Statement): boolean {
    try {
      this.execute(wire, statement);
      return true;
    } catch (error) {
      writer.cut(0);
      if (this.#isGiven || !isAboutArguments(error)) throw error;
      wire.statements.drop(statement);
      this.#beginAgain(statement, error);
      this.#isFromCache = false;
      return false;
    }
  }

  #prepare(wire: Wire): void {
    this.#question = null;
    this.#name = wire.statements.nameFor(this.text, this.isToBeHeld);
    wire.statements.tellForgotten(writer);
    writer.parse(this.#name, this.text).describeStatement(this.#name);
    this.isSynced = this.#doubt === null && this.executeUnseen(this.#name);
    if (!this.isSynced) writer.flush();
    this.sendFirst(wire, writer.take());
  }

  /** Ends the exchange early. */
  protected sync(): void {
    if (this.isSynced) return;
    this.isSynced = true;
    this.wire?.write(SYNC);
  }

  protected override failed(): FailedStatement {
    const { text, args } = this;
    if (!this.#isFromCache || !isOutdated(this.failure)) return { text, args };
    return { text, args, advice: this.#isGiven ? PREPARE_AGAIN : RUN_AGAIN };
  }

  override refuse(error: Error & ServerFields): void {
    super.refuse(error);
    this.sync();
  }

  override mayRetry(isInTransaction: boolean): boolean {
    const { statement, failure, wire } = this;
    if (!this.#isFromCache || statement === null || wire === null || failure === null) return false;
    const isCertain = isOutdated(failure);
    if (!isCertain && (statement.parameters.length === 0 || !isAboutTypes(failure))) return false;
    wire.statements.drop(statement);
    // A held one is its holder's, and has to be prepared anew by him. In a transaction everything fails from here on.
    if (isInTransaction || this.#isGiven || this.#isRetried || !this.isRepeatable) return false;
    this.#beginAgain(statement, isCertain ? null : failure);
    return true;
  }

  /** @param wrong - an error that counts after all if the statement still is what it was */
  #beginAgain(statement: Statement, wrong: Error | null): void {
    this.#doubt = wrong === null ? null : { parameters: statement.parameters, failure: wrong };
    this.#isRetried = true;
    this.#parameters = null;
    this.failure = null;
    this.statement = null;
    this.isSynced = false;
    this.forget();
  }

  /** Forgets what has come so far: it begins again. */
  protected forget(): void {}

  override handleParameters(oids: number[]): void {
    if (this.#question === null) this.#parameters = oids;
  }

  override handleRowDescription({ fields }: { readonly fields: Field[] }): void {
    const question = this.#question;
    if (question === null) return this.#prepared(fields);
    this.#question = null;
    const bases = fields.map(({ dataTypeID }) => dataTypeID);
    this.wire?.settled.types.learn(question.oids, bases);
    this.#prepared(question.fields);
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
    const { types } = wire.settled;
    const oids = this.isSynced || wire.isInterrupted ? [] : types.unlearned(parameters);
    if (oids.length > 0) {
      this.#question = { oids, fields };
      return void wire.write(askForBases(writer, oids).take());
    }
    const statement = new Statement({ name: this.#name, text: this.text }, parameters, fields, types);
    this.statement = statement;
    wire.statements.add(statement);
    if (this.isSynced) {
      // What was sent unseen has no arguments: the server will refuse it, and less clearly.
      if (parameters.length > 0) this.failure ??= wrongCount(this.text, 0, parameters.length);
      return;
    }
    const doubt = this.#doubt;
    if (doubt !== null && areSame(doubt.parameters, parameters)) this.failure ??= doubt.failure;
    if (wire.isInterrupted || this.failure !== null) return this.sync();
    try {
      this.execute(wire, statement);
    } catch (error) {
      writer.cut(0);
      this.failure ??= asError(error);
      this.sync();
    }
  }
}

interface Question {
  readonly oids: ReadonlyArray<number>;
  /** The columns of the statement. */
  readonly fields: Field[] | null;
}

interface Doubt {
  readonly parameters: ReadonlyArray<number>;
  readonly failure: Error;
}

function areSame(some: ReadonlyArray<number>, others: ReadonlyArray<number>): boolean {
  return some.length === others.length && some.every((oid, index) => oid === others[index]);
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

function isAboutTypes(failure: Error): boolean {
  return "code" in failure && typeof failure.code === "string" && TYPE_ERRORS.has(failure.code);
}

function isAboutArguments(error: unknown): error is PostgresError {
  if (!(error instanceof PostgresError)) return false;
  return error.code === "MW_ERR_PG_ARGUMENT_TYPE" || error.code === "MW_ERR_PG_ARGUMENT_COUNT";
}
