// Every error of the package and every code it uses. A class exists only where callers catch it apart.
// No error shows a secret: no password, no argument of a statement, nothing of a DSN but host, port and database.

import { pointAt } from "./error-position.ts";
import {
  conditionOf,
  holdsArgument,
  kindOf,
  mayQuoteValues,
  withoutArguments,
  withoutPasswords,
} from "./error-privacy.ts";

/** The stable codes of errors thrown by this package. */
export type PostgresErrorCode =
  | "MW_ERR_PG_ARGUMENT_COUNT"
  | "MW_ERR_PG_ARGUMENT_TYPE"
  | "MW_ERR_PG_AUTH"
  | "MW_ERR_PG_BUSY"
  | "MW_ERR_PG_CLOSED"
  | "MW_ERR_PG_CONNECT"
  | "MW_ERR_PG_CONNECT_TIMEOUT"
  | "MW_ERR_PG_CONNECTION_LOST"
  | "MW_ERR_PG_COPY"
  | "MW_ERR_PG_DNS"
  | "MW_ERR_PG_EMBEDDED"
  | "MW_ERR_PG_INVALID_ARGUMENT"
  | "MW_ERR_PG_INVALID_DSN"
  | "MW_ERR_PG_NOT_IN_TRANSACTION"
  | "MW_ERR_PG_POOL_TIMEOUT"
  | "MW_ERR_PG_PROTOCOL"
  | "MW_ERR_PG_SQL"
  | "MW_ERR_PG_TARGET"
  | "MW_ERR_PG_TLS"
  | "MW_ERR_PG_TRANSACTION"
  | "MW_ERR_PG_VALUE";

/** Something could not be done. The class of all errors of this package; `code` tells them apart. */
export class PostgresError extends Error {
  override readonly name: string = "PostgresError";
  /** Stable code of the error. */
  readonly code: PostgresErrorCode;

  /** @internal */
  constructor(code: PostgresErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * No connection could be made: `MW_ERR_PG_CONNECT`, `MW_ERR_PG_CONNECT_TIMEOUT`, `MW_ERR_PG_DNS`, `MW_ERR_PG_TLS`,
 * `MW_ERR_PG_AUTH` or `MW_ERR_PG_TARGET`. Nothing was run. Of several hosts it is about the last one tried; the message says
 * what was wrong with the others, and `cause` is an `AggregateError` with a ConnectError for each.
 */
export class ConnectError extends PostgresError {
  override readonly name: string = "ConnectError";
  /** Where it was to lead, as `host:port/database`; of several hosts the last one tried. */
  readonly server: string;
  /** What the server said, five characters as SQLSTATE has them; undefined if it was not the server that refused. */
  readonly sqlstate: string | undefined;

  /** @internal */
  constructor(code: PostgresErrorCode, server: string, what: string, options?: ErrorOptions & { sqlstate?: string }) {
    super(code, `Cannot connect to ${server}: ${what}`, options);
    this.server = server;
    this.sqlstate = options?.sqlstate;
  }
}

/**
 * The connection ended while it was in use, so it is not known whether what it ran was done: `MW_ERR_PG_CONNECTION_LOST`.
 * A transaction that had not been told to commit was not.
 */
export class ConnectionLostError extends PostgresError {
  override readonly name: string = "ConnectionLostError";
  /** What was being run; undefined if nothing was. */
  readonly statement: string | undefined;
  /** What the server said before it hung up, like `57P01` for a shutdown. */
  readonly sqlstate: string | undefined;

  /** @internal */
  constructor(doing: string, why: string, details: ErrorOptions & { statement?: string; sqlstate?: string }) {
    super("MW_ERR_PG_CONNECTION_LOST", `Cannot ${doing}: ${why}`, details);
    this.statement = details.statement;
    this.sqlstate = details.sqlstate;
  }
}

/** One who holds a connection of a pool. */
export interface ConnectionHolder {
  /** For how long, in milliseconds. */
  readonly heldMs: number;
  /** Where it was acquired: a line of a stack, or a hint how to get one. */
  readonly acquiredAt: string;
  /** What it runs now, with each password masked; undefined if it runs nothing. */
  readonly statement: string | undefined;
}

/** No connection came free in time: `MW_ERR_PG_POOL_TIMEOUT`. */
export class PoolTimeoutError extends PostgresError {
  override readonly name: string = "PoolTimeoutError";
  /** Who holds the connections of the pool, the longest first. */
  readonly holders: ReadonlyArray<ConnectionHolder>;

  /** @internal */
  constructor(what: string, holders: ReadonlyArray<ConnectionHolder>, options?: ErrorOptions) {
    super("MW_ERR_PG_POOL_TIMEOUT", `Cannot acquire a connection: ${what}`, options);
    this.holders = holders;
  }
}

/** What a server says of an error, field by field. */
export interface ServerFields {
  readonly message: string;
  readonly code?: string | undefined;
  readonly severity?: string | undefined;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  readonly position?: string | undefined;
  readonly internalPosition?: string | undefined;
  readonly internalQuery?: string | undefined;
  readonly where?: string | undefined;
  readonly schema?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  readonly dataType?: string | undefined;
  readonly constraint?: string | undefined;
}

/** The statement that failed, and with what. */
export interface FailedStatement {
  readonly text: string;
  /** Never shown; only what kind each is. */
  readonly args: ReadonlyArray<unknown>;
  /** Which of many executions failed, from 0. */
  readonly index?: number | undefined;
  /** What to do, where it is not the statement that is wrong. */
  readonly advice?: string | undefined;
}

/**
 * The server refused a statement: `MW_ERR_PG_SQL`, with `sqlstate` saying why.
 *
 * `detail` and `where` may quote values of rows, so they are in no message and no dump of the error: ask for them. So is what
 * the server says of values that it cannot use, and what `raise` says, in the classes 22 and P0: see `serverMessage`. A
 * password that stands in the statement is masked.
 *
 * @see {@link https://www.postgresql.org/docs/current/errcodes-appendix.html}
 *
 * @example
 * ```ts
 * import { connect, SqlError } from "@meanwhile/postgres";
 *
 * await using connection = await connect();
 * try {
 *   await connection.fetch("select 1 / $1::int", 0);
 * } catch (error) {
 *   if (error instanceof SqlError) console.log(error.sqlstate); //> 22012
 * }
 * ```
 */
export class SqlError extends PostgresError {
  override readonly name: string = "SqlError";
  /** Five characters; the first two are the class of the error. */
  readonly sqlstate: string;
  /** `ERROR`, `FATAL` or `PANIC`, in the language of the server. */
  readonly severity: string;
  /** The text of the statement; a password in it is `'***'`. */
  readonly statement: string;
  /** What kind of value each argument was. */
  readonly argumentTypes: ReadonlyArray<string>;
  /** Which list of arguments of `executeMany` failed, from 0; undefined for other calls. */
  readonly index: number | undefined;
  /** Where in the statement, in characters from 1; undefined if the server does not say. */
  readonly position: number | undefined;
  /** The schema of what it is about. */
  readonly schema: string | undefined;
  /** The table it is about. */
  readonly table: string | undefined;
  /** The column it is about. */
  readonly column: string | undefined;
  /** The data type it is about. */
  readonly dataType: string | undefined;
  /** The constraint that was violated. */
  readonly constraint: string | undefined;
  readonly #serverMessage: string;
  readonly #hint: string | undefined;
  readonly #detail: string | undefined;
  readonly #where: string | undefined;

  /** @internal */
  constructor(fields: ServerFields, { text, args, index, advice }: FailedStatement) {
    const { code = "XX000", hint } = fields;
    const position = fields.position === undefined ? undefined : Number(fields.position);
    const which = index === undefined ? "" : ` with the arguments at index ${index}`;
    const statement = withoutPasswords(text);
    const isMasked = statement !== text;
    const isPrivate = isMasked || mayQuoteValues(code) || holdsArgument(fields.internalQuery, { text, args });
    const place = isMasked ? "" : pointAt(text, position);
    const said = hint === undefined || isPrivate ? "" : `\n  hint: ${withoutArguments(hint, { text, args })}`;
    const todo = advice === undefined ? "" : `; ${advice}`;
    const what = isPrivate ? conditionOf(code) : withoutArguments(fields.message, { text, args });
    super("MW_ERR_PG_SQL", `Cannot run the statement${which}: ${what} (${code})${todo}${place}${said}`);
    this.sqlstate = code;
    this.severity = fields.severity ?? "ERROR";
    this.statement = statement;
    this.argumentTypes = args.map(kindOf);
    this.index = index;
    this.position = position;
    this.#hint = hint;
    this.#serverMessage = fields.message;
    this.schema = fields.schema;
    this.table = fields.table;
    this.column = fields.column;
    this.dataType = fields.dataType;
    this.constraint = fields.constraint;
    this.#detail = fields.detail;
    this.#where = fields.where;
  }

  /** What the server said, word for word: it may quote arguments and values of rows. */
  get serverMessage(): string {
    return this.#serverMessage;
  }

  /** What the server suggests. */
  get hint(): string | undefined {
    return this.#hint;
  }

  /** More about it, with values: of a violated constraint, the key. */
  get detail(): string | undefined {
    return this.#detail;
  }

  /** In which functions of the server it happened. */
  get where(): string | undefined {
    return this.#where;
  }
}
