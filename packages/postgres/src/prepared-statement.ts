// A statement that was prepared for somebody, on one connection.

import type { CommandResult } from "./command-tag.ts";
import { Cursor } from "./cursor.ts";
import { PostgresError } from "./errors.ts";
import { ExecuteMany } from "./execute-many.ts";
import { LetGo, Prepare } from "./prepare.ts";
import { Execute, FetchRow, FetchRows, FetchValue } from "./query.ts";
import type { Row } from "./queryable.ts";
import type { Session } from "./session.ts";
import { quoted } from "./statement-text.ts";
import type { Statement } from "./statement.ts";

/** A column of a result. */
export interface Column {
  /** Its name. */
  readonly name: string;
  /** The OID of its type. */
  readonly typeOid: number;
}

/**
 * A statement that the server has prepared for this connection. It ends with the connection, or when it is closed.
 *
 * @example
 * ```ts
 * import { connect } from "@meanwhile/postgres";
 *
 * await using connection = await connect();
 * await using double = await connection.prepare("select $1::int * 2 as result");
 * console.log(double.columns.map(({ name }) => name), await double.fetchValue(21)); //> [ 'result' ] 42
 * ```
 */
export class PreparedStatement implements AsyncDisposable {
  /** The text of the statement. */
  readonly text: string;
  readonly #session: Session;
  readonly #statement: Statement;
  #isClosed = false;

  /** @internal */
  constructor(session: Session, statement: Statement) {
    this.#session = session;
    this.#statement = statement;
    this.text = statement.text;
  }

  /** The OIDs of the types of its parameters. */
  get parameters(): readonly number[] {
    return this.#statement.parameters;
  }

  /** The columns of its rows; none for one that gives no rows. */
  get columns(): readonly Column[] {
    return (this.#statement.fields ?? []).map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID }));
  }

  /**
   * All rows.
   *
   * Cancellation: loses the rows. The server is asked to end the statement.
   *
   * @throws {@link PostgresError} `MW_ERR_PG_CLOSED` if it was closed
   */
  fetch<T = Row>(...args: readonly unknown[]): Promise<T[]> {
    return this.#session.run(() => new FetchRows<T>(this.text, args, this.#open()));
  }

  /**
   * The first row; undefined if there is none.
   *
   * Cancellation: loses the row. The server is asked to end the statement.
   */
  fetchRow<T = Row>(...args: readonly unknown[]): Promise<T | undefined> {
    return this.#session.run(() => new FetchRow<T>(this.text, args, this.#open()));
  }

  /**
   * The first column of the first row; undefined if there is no row.
   *
   * Cancellation: loses the value. The server is asked to end the statement.
   */
  fetchValue<T = unknown>(...args: readonly unknown[]): Promise<T | undefined> {
    return this.#session.run(() => new FetchValue<T>(this.text, args, this.#open()));
  }

  /**
   * Runs it without taking rows.
   *
   * Cancellation: loses the result. The server is asked to end the statement.
   */
  execute(...args: readonly unknown[]): Promise<CommandResult> {
    return this.#session.run(() => new Execute(this.text, args, this.#open()));
  }

  /**
   * Runs it once for each list of arguments. Returns how often that was.
   *
   * Cancellation: loses the result: none of them was done, or, if the server was faster, all.
   */
  executeMany(argLists: Iterable<readonly unknown[]>): Promise<number> {
    return this.#session.run(() => new ExecuteMany(this.text, argLists, this.#open()));
  }

  /** Its rows bit by bit. Only in a transaction. */
  cursor<T = Row>(...args: readonly unknown[]): Cursor<T> {
    return new Cursor<T>(this.#session, this.text, args, this.#open());
  }

  /**
   * Lets the server forget it, unless it is one of those that the connection remembers anyway. A connection that is busy
   * tells the server later.
   *
   * Cancellation: safe. It is forgotten with the connection at the latest.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const session = this.#session;
    if (session.isOver || session.link.status !== "idle" || session.link.transaction === "failed") {
      session.link.statements.letGo(this.#statement);
      return;
    }
    await session.run(() => new LetGo(this.#statement));
  }

  /**
   * The same as `close()`.
   *
   * Cancellation: safe. As in `close`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(): Statement {
    if (!this.#isClosed) return this.#statement;
    const what = `Cannot run the prepared statement ${quoted(this.text)}: it was closed; prepare it again`;
    throw new PostgresError("MW_ERR_PG_CLOSED", what);
  }
}

/** Prepares a statement. */
export async function prepare(session: Session, text: string): Promise<PreparedStatement> {
  return new PreparedStatement(session, await session.run(() => new Prepare(text)));
}
