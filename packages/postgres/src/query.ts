// One statement, run once: for its rows, the first of them, the first value, or how many rows it has touched.

import { type CommandResult, parseTag } from "./command-tag.ts";
import { withoutMessage } from "./error-privacy.ts";
import { writer } from "./message-writer.ts";
import { readFirst } from "./row-reader.ts";
import { StatementOperation } from "./statement-operation.ts";
import type { Statement } from "./statement.ts";
import { unreadable } from "./value-errors.ts";
import type { Wire } from "./wire.ts";

const NO_TEXTS: ReadonlyArray<never> = [];

abstract class Query<R> extends StatementOperation<R> {
  /** How many rows are asked for; 0 for all. */
  protected readonly limit: number = 0;

  // Sent in front, in the same exchange: if the server refuses it, it passes over the statement. Null once it was answered.
  #begin: string | null = null;

  override opensWith(begin: string): boolean {
    this.#begin = begin;
    return true;
  }

  // It is answered before a statement that is prepared behind it is executed.
  protected override sendFirst(wire: Wire, bytes: Buffer): void {
    if (this.#begin === null) return super.sendFirst(wire, bytes);
    const begin = writer.parse("", this.#begin).bind("", "", NO_TEXTS).execute("", 0).take();
    super.sendFirst(wire, Buffer.concat([begin, bytes]));
  }

  protected override execute(wire: Wire, statement: Statement): void {
    const message = statement.messageFor(this.args, this.limit);
    this.isSynced = true;
    this.sendFirst(wire, message);
  }

  override handleCommandComplete(message: { readonly text: string }): void {
    if (this.#begin === null) return this.completed(message);
    this.#begin = null;
  }

  protected completed(message: { readonly text: string }): void {
    super.handleCommandComplete(message);
  }

  protected override executeUnseen(name: string): boolean {
    if (this.args.length > 0) return false;
    writer.bind("", name, NO_TEXTS).execute("", this.limit).sync();
    return true;
  }

  protected abstract take(statement: Statement, bytes: Buffer, at: number): void;

  override handleRow(bytes: Buffer, at: number): void {
    const { statement } = this;
    if (statement === null || this.failure !== null) return;
    try {
      this.take(statement, bytes, at);
    } catch (error) {
      this.failure = valueError(error);
    }
  }
}

/** All rows. */
export class FetchRows<T> extends Query<T[]> {
  #rows: Array<Record<string, unknown>> = [];

  protected override take(statement: Statement, bytes: Buffer, at: number): void {
    this.#rows.push(statement.readRow(bytes, at));
  }

  protected override forget(): void {
    this.#rows = [];
  }

  override result(): T[] {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller says what his rows are
    return this.#rows as T[];
  }
}

/** The first row; undefined if there is none. */
export class FetchRow<T> extends Query<T | undefined> {
  protected override readonly limit = 1;
  #row: Record<string, unknown> | undefined;

  protected override take(statement: Statement, bytes: Buffer, at: number): void {
    this.#row ??= statement.readRow(bytes, at);
  }

  override result(): T | undefined {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller says what his row is
    return this.#row as T | undefined;
  }
}

/** The first column of the first row; undefined if there is no row. */
export class FetchValue<T> extends Query<T | undefined> {
  protected override readonly limit = 1;
  #value: unknown;
  #hasValue = false;

  protected override take(statement: Statement, bytes: Buffer, at: number): void {
    if (this.#hasValue) return;
    this.#value = readFirst(bytes, at, statement.readFirst);
    this.#hasValue = true;
  }

  override result(): T | undefined {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller says what his value is
    return this.#value as T | undefined;
  }
}

/** What the server says of a command; rows are thrown away. */
export class Execute extends Query<CommandResult> {
  #tag = "";

  protected override take(): void {}

  protected override completed(message: { readonly text: string }): void {
    this.#tag = message.text;
    super.completed(message);
  }

  override result(): CommandResult {
    return parseTag(this.#tag);
  }
}

/** The error for what a parser has thrown. */
export function valueError(error: unknown): Error {
  if (error instanceof Error && "code" in error && error.code === "MW_ERR_PG_VALUE") return error;
  return unreadable("the parser of a type threw", { cause: withoutMessage(error) });
}
