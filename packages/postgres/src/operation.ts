// What a link runs: one exchange with the server, from what is sent to its ReadyForQuery.
//
// The methods named handle… are what pg calls, and must not throw. An operation only sends and collects; the link decides
// when it is over.

import type { WaitTarget } from "meanwhile/lowlevel";

import { isServerError } from "./dial-failure.ts";
import type { Submittable } from "./driver.ts";
import { type FailedStatement, PostgresError, type ServerFields, SqlError } from "./errors.ts";
import type { RowTarget } from "./message-splitter.ts";
import { changesSchema } from "./schema-changes.ts";
import { quoted, shortened } from "./statement-text.ts";
import { ENDING_TAGS } from "./transaction-count.ts";
import type { Wire } from "./wire.ts";

/** A column of a result, as the server describes it. */
export interface Field {
  readonly name: string;
  readonly tableID: number;
  readonly columnID: number;
  readonly dataTypeID: number;
  readonly dataTypeSize: number;
  readonly dataTypeModifier: number;
}

const NO_ARGS: ReadonlyArray<unknown> = [];

/** The tags of commands after which a session is not what it was. */
const SESSION_TAGS = new Set(["SET", "RESET", "DISCARD ALL", "DEALLOCATE ALL", "PREPARE", "UNLISTEN"]);

/** @typeParam R - what it comes to */
export abstract class Operation<R> implements Submittable, RowTarget, WaitTarget {
  readonly foreign = true;
  /** The text of the statement. */
  readonly text: string;
  /** What its parameters are given, if that is known before it begins. */
  readonly args: ReadonlyArray<unknown> = NO_ARGS;
  /** What was found wrong first. */
  failure: Error | null = null;
  /** Whether it has come to its end, and not that of the connection. */
  isOver = false;
  /** What it runs on; set when it begins. */
  protected wire: Wire | null = null;

  constructor(text: string) {
    this.text = text;
  }

  /** Lets it send `begin` in front of its own. False if it cannot: then that has to be sent alone. */
  opensWith(_begin: string): boolean {
    return false;
  }

  /** Begins, or begins again if `mayRetry` has said so. What it throws was found before anything was sent. */
  start(wire: Wire): void {
    this.wire = wire;
    this.send(wire);
  }

  /** Sends what comes first. */
  protected abstract send(wire: Wire): void;

  /** What it came to, when the server is ready again and nothing has failed. Must not throw. */
  abstract result(): R;

  /** Whether to begin again, now that it has failed. Forgets the failure then. */
  mayRetry(_isInTransaction: boolean): boolean {
    return false;
  }

  /** The server has said no. It is ready when it has seen a Sync. */
  refuse(error: Error & ServerFields): void {
    this.failure ??= error;
  }

  /** Whoever waits was cancelled, and the server is being asked to end this: no more must be begun. */
  interrupt(): void {}

  /** The error for whoever waits, made where he goes on. */
  makeError(): unknown {
    const { failure } = this;
    return isServerError(failure) ? new SqlError(failure, this.failed()) : failure;
  }

  /** What the error is about. */
  protected failed(): FailedStatement {
    return { text: this.text, args: [] };
  }

  describe(): string {
    return `PostgreSQL: ${shortened(this.text)}`;
  }

  /** Nothing: it has been sent. */
  submit(): void {}

  handleReadyForQuery(): void {
    this.wire?.ready();
  }

  handleError(error: Error): void {
    this.wire?.refused(error);
  }

  handleRowDescription(_message: { readonly fields: Field[] }): void {}
  /** Nothing: rows do not come through pg. */
  handleDataRow(): void {}
  /** A row lies in what was received, from the length of its first column on. */
  handleRow(_bytes: Buffer, _at: number): void {}
  handlePortalSuspended(): void {}

  handleCommandComplete({ text }: { readonly text: string }): void {
    if (SESSION_TAGS.has(text)) this.wire?.sessionChanged(text, this.text);
    else if (ENDING_TAGS.has(text)) this.wire?.transactionEnded(text, this.text);
    if (changesSchema(text, this.text)) this.wire?.schemaChanged(text, this.text);
  }

  handleEmptyQuery(): void {}
  handleCopyInResponse(): void {}

  /** Data come now that only a loop of copyTo takes: they are read to their end, for nobody. */
  handleCopyOutResponse(): void {
    const what = `Cannot run ${quoted(this.text)}: it copies out, which gives no rows; pass it to copyTo()`;
    this.failure ??= new PostgresError("MW_ERR_PG_COPY", what);
  }

  handleCopyData(_message: { readonly chunk: Buffer }): void {}
  /** The types of the parameters are known. */
  handleParameters(_oids: number[]): void {}
  /** There will be no rows. */
  handleNoData(): void {}
  /** What was sent has left the process, after `wire.write` had said that it waits. */
  handleDrain(): void {}
}
