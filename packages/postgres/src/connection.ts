// A connection as its user sees it.

import { shield } from "meanwhile";

import type { CommandResult } from "./command-tag.ts";
import { ConnectionListening } from "./connection-listening.ts";
import type { CopyTarget, CopyToTarget } from "./copy-target.ts";
import { copyFrom, type CopySource, copyTo } from "./copy.ts";
import { Cursor } from "./cursor.ts";
import { checkChannel, Listener, type ListenOptions } from "./listener.ts";
import { prepare, type PreparedStatement } from "./prepared-statement.ts";
import type { Queryable, Row } from "./queryable.ts";
import type { Session } from "./session.ts";
import type { SqlInput } from "./sql.ts";
import { executeManyOf, executeOf, firstRowOf, rowsOf, textOf, valueOf } from "./statements.ts";
import { bodyOf, inTransaction, optionsOf, type TransactionOptions } from "./transaction.ts";

/**
 * One connection to a server. It runs one statement at a time.
 *
 * A statement that is cancelled, or whose deadline passes, is ended on the server before the call throws; the connection
 * can be used again then.
 *
 * @see {@link https://magicstack.github.io/asyncpg/current/api/index.html#connection}
 *
 * @example
 * ```ts
 * import { connect } from "@meanwhile/postgres";
 *
 * await using connection = await connect();
 * await connection.execute("create temp table users (id int, name text)");
 * await connection.transaction(async () => {
 *   await connection.execute("insert into users values ($1, $2)", 1, "Ada");
 * });
 * console.log(await connection.fetch("select * from users")); //> [ { id: 1, name: 'Ada' } ]
 * ```
 */
export class Connection implements Queryable, AsyncDisposable {
  readonly #session: Session;
  readonly #onClosed: () => Promise<void>;
  #listening: ConnectionListening | null = null;

  /** @internal */
  constructor(session: Session, onClosed: () => Promise<void> = nothing) {
    this.#session = session;
    this.#onClosed = onClosed;
  }

  /**
   * All rows of a statement.
   *
   * Cancellation: loses the rows. The server is asked to end the statement.
   *
   * @param args - for `$1`, `$2`, … of a text; none for an {@link Sql}, which has its own
   * @throws {@link SqlError} `MW_ERR_PG_SQL` if the server refuses it
   * @throws {@link PostgresError} `MW_ERR_PG_ARGUMENT_COUNT`, `MW_ERR_PG_ARGUMENT_TYPE` for arguments that do not fit,
   * `MW_ERR_PG_BUSY` if something runs on the connection already, `MW_ERR_PG_CLOSED` if it was closed or given back
   * @throws {@link ConnectionLostError} `MW_ERR_PG_CONNECTION_LOST`
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the call
   */
  fetch<T = Row>(statement: SqlInput, ...args: readonly unknown[]): Promise<T[]> {
    return this.#session.run(() => rowsOf<T>(statement, args));
  }

  /**
   * The first row; undefined if there is none. Only one is asked for: what the statement would do for further rows is not
   * done, and what would be wrong with them is not seen.
   *
   * Cancellation: loses the row. As in `fetch`.
   */
  fetchRow<T = Row>(statement: SqlInput, ...args: readonly unknown[]): Promise<T | undefined> {
    return this.#session.run(() => firstRowOf<T>(statement, args));
  }

  /**
   * The first column of the first row; undefined if there is no row.
   *
   * Cancellation: loses the value. As in `fetch`.
   */
  fetchValue<T = unknown>(statement: SqlInput, ...args: readonly unknown[]): Promise<T | undefined> {
    return this.#session.run(() => valueOf<T>(statement, args));
  }

  /**
   * Runs a statement whose rows are of no interest. A text without arguments may be several statements, done all or none.
   *
   * Cancellation: loses the result. As in `fetch`; a statement that changes rows may have done so.
   */
  execute(statement: SqlInput, ...args: readonly unknown[]): Promise<CommandResult> {
    return this.#session.run(() => executeOf(statement, args));
  }

  /**
   * Runs a statement once for each list of arguments, in few round trips, all or none of them. Returns how often
   * that was.
   *
   * Cancellation: loses the result: none of them was done, or, if the server was faster, all. As in `fetch`.
   *
   * @throws {@link SqlError} with the `index` of the list that failed
   */
  executeMany(statement: string, argLists: Iterable<readonly unknown[]>): Promise<number> {
    return this.#session.run(() => executeManyOf(statement, argLists));
  }

  /**
   * Runs `body` in a transaction: committed when it returns, rolled back when it throws or is cancelled. In a transaction
   * it is a savepoint. What does not await `body` must not use the connection meanwhile.
   *
   * Cancellation: reaches the body, and rolls back. A commit that has begun is not broken off: it has 5 s more then, and
   * whether it was done is known, unless the connection is lost.
   *
   * @throws whatever `body` throws
   * @throws {@link PostgresError} `MW_ERR_PG_TRANSACTION` if the server would roll back where `body` has returned: a
   * statement has failed and its error was caught
   * @throws {@link SqlError} if the commit fails, for example because of a deferred constraint
   * @see {@link https://magicstack.github.io/asyncpg/current/api/index.html#transactions}
   */
  transaction<T>(body: (connection: this) => T | PromiseLike<T>): Promise<T>;
  /**
   * With an isolation level, or read only.
   *
   * Cancellation: reaches the body. As above.
   */
  transaction<T>(options: TransactionOptions, body: (connection: this) => T | PromiseLike<T>): Promise<T>;
  async transaction<T>(
    first: TransactionOptions | ((connection: this) => T | PromiseLike<T>),
    second?: (connection: this) => T | PromiseLike<T>,
  ): Promise<T> {
    const body = bodyOf(first, second);
    return inTransaction(this.#session, optionsOf(first), () => body(this));
  }

  /**
   * The rows of a statement bit by bit, for results that should not be in memory as a whole. Only in a transaction;
   * `pool.cursor` opens one by itself.
   */
  cursor<T = Row>(statement: SqlInput, ...args: readonly unknown[]): Cursor<T> {
    return new Cursor<T>(this.#session, statement, args);
  }

  /**
   * Prepares a statement for many runs. Rarely needed: `fetch` and the like prepare what they run, and remember it.
   *
   * Cancellation: safe. Nothing was run.
   */
  async prepare(statement: SqlInput): Promise<PreparedStatement> {
    return prepare(this.#session, textOf(statement));
  }

  /**
   * Copies rows, or a text in a format of COPY, into a table, as fast as the server takes them. Returns how many rows that
   * were. All or none are copied.
   *
   * Cancellation: loses the count: nothing was copied, or, if the server was faster, all. The source was closed.
   *
   * @throws {@link SqlError} if the server refuses the data
   * @see {@link https://www.postgresql.org/docs/current/sql-copy.html}
   */
  copyFrom(target: CopyTarget, source: CopySource): Promise<number> {
    return copyFrom(this.#session, target, source);
  }

  /**
   * Copies a table, or the result of a query, out: chunks of bytes, as they come. The server is read no faster than the
   * loop; leaving it ends the copy.
   *
   * Cancellation: loses the rest. The server is asked to end the statement.
   *
   * @see {@link https://www.postgresql.org/docs/current/sql-copy.html}
   */
  copyTo(target: CopyToTarget): AsyncIterableIterator<Uint8Array> {
    return copyTo(this.#session, target);
  }

  /**
   * The notifications of one or more channels, on this connection. It ends when that is closed or given back; the one of
   * a pool survives the loss of its connection.
   *
   * @see {@link https://www.postgresql.org/docs/current/sql-listen.html}
   */
  listen(channels: string | readonly string[], options: ListenOptions = {}): Listener {
    this.#listening ??= new ConnectionListening(this.#session);
    return new Listener(channels, options, this.#listening);
  }

  /**
   * Notifies those who listen to a channel; in a transaction when that commits.
   *
   * Cancellation: loses whether it was sent. As in `fetch`.
   *
   * @param payload - at most 8 000 bytes, as the server has it. Default: `""`
   */
  async notify(channel: string, payload = ""): Promise<void> {
    checkChannel(channel);
    await this.execute("select pg_notify($1, $2)", channel, payload);
  }

  /** The process id of its server process. */
  get serverPid(): number {
    return this.#session.link.pid;
  }

  /** The version of the server, like `18.1`. */
  get serverVersion(): string {
    return this.#session.link.parameters.get("server_version") ?? "";
  }

  /** The settings that the server reports, like `TimeZone`. */
  get parameters(): ReadonlyMap<string, string> {
    return this.#session.link.parameters;
  }

  /** Whether a transaction is open. Of a connection that cannot be used any more none is. */
  get isInTransaction(): boolean {
    return !this.isClosed && this.#session.isInTransaction;
  }

  /** Whether it cannot be used any more: it was closed, given back, or lost. */
  get isClosed(): boolean {
    return this.#session.isOver || this.#session.link.status === "broken";
  }

  /**
   * Says goodbye to the server. What runs is waited for. Closing it again does nothing.
   *
   * Cancellation: safe. What runs is ended on the server, and the connection is closed.
   */
  async close(): Promise<void> {
    if (this.#session.isOver) return;
    await this.finish("was closed");
    await shield(async () => {
      await this.#session.link.close();
      await this.#onClosed();
    });
  }

  /** Ends the connection at once. Whoever waits for something on it gets `MW_ERR_PG_CLOSED`. */
  terminate(): void {
    this.#session.end("was closed");
    this.#listening?.close();
    this.#session.link.destroy();
  }

  /**
   * The same as `close()`.
   *
   * Cancellation: safe. As in `close`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal Nothing can be begun from here on; returns a promise only if something runs. */
  protected finish(why: string): Promise<void> | undefined {
    const session = this.#session;
    session.end(why);
    this.#listening?.close();
    return session.link.status === "busy" ? session.untilIdle() : undefined;
  }
}

async function nothing(): Promise<void> {}
