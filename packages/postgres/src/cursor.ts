// The rows of a statement, some at a time.
//
//   fresh ──first rows──▶ open ──last rows, close──▶ over

import { badArgument } from "./checks.ts";
import { PostgresError } from "./errors.ts";
import { Portal } from "./portal.ts";
import type { Row } from "./queryable.ts";
import type { Session } from "./session.ts";
import type { SqlInput } from "./sql.ts";
import type { Statement } from "./statement.ts";
import { argsOf, textOf } from "./statements.ts";

/** How many rows are fetched at once for a loop over single rows. */
const USUAL_BATCH = 256;

/**
 * The rows of a statement bit by bit: for results that should not be in memory as a whole. It lives in the transaction it is
 * used in. Other statements may run on the connection in between.
 *
 * @see {@link https://magicstack.github.io/asyncpg/current/api/index.html#cursors}
 *
 * @example
 * ```ts
 * import { connect } from "@meanwhile/postgres";
 *
 * await using connection = await connect();
 * await connection.transaction(async () => {
 *   let sum = 0;
 *   for await (const { n } of connection.cursor<{ n: number }>("select n from generate_series(1, 1000) n")) sum += n;
 *   console.log(sum); //> 500500
 * });
 * ```
 */
export class Cursor<T = Row> implements AsyncIterable<T>, AsyncDisposable {
  readonly #session: Session;
  readonly #text: string;
  readonly #portal: Portal<T>;
  #state: "fresh" | "open" | "over" = "fresh";

  /** @internal */
  constructor(session: Session, statement: SqlInput, args: readonly unknown[], held: Statement | null = null) {
    this.#session = session;
    this.#text = textOf(statement);
    this.#portal = new Portal<T>(this.#text, argsOf(statement, args), held);
  }

  /**
   * The next rows, at most `count`; fewer, or none, at the end.
   *
   * Cancellation: loses the rows that were asked for. The transaction can then only be rolled back.
   *
   * @throws {@link PostgresError} `MW_ERR_PG_NOT_IN_TRANSACTION` outside of a transaction
   * @throws {@link SqlError} `MW_ERR_PG_SQL`
   */
  async fetch(count: number): Promise<T[]> {
    if (!Number.isInteger(count) || count < 1 || count > 2 ** 31 - 1)
      throw badArgument("count", count, "an integer >= 1");
    if (this.#state === "over") return [];
    const { link } = this.#session;
    if (link.status === "idle" && !this.#session.isInTransaction) throw notInTransaction(this.#text);
    const isFresh = this.#state === "fresh";
    const { rows, isLast } = await this.#session.run(() =>
      isFresh ? this.#portal.open(count) : this.#portal.fetch(count),
    );
    this.#state = isLast ? "over" : "open";
    return rows;
  }

  /**
   * The next row; undefined at the end.
   *
   * Cancellation: loses the row. As in `fetch`.
   */
  async fetchRow(): Promise<T | undefined> {
    const [row] = await this.fetch(1);
    return row;
  }

  /**
   * A loop over rows in arrays of at most `size`.
   *
   * Cancellation: loses the rows that were asked for. As in `fetch`.
   */
  async *batches(size: number): AsyncGenerator<T[], undefined, undefined> {
    try {
      for (let rows = await this.fetch(size); rows.length > 0; rows = await this.fetch(size)) yield rows;
    } finally {
      await this.close();
    }
    return undefined;
  }

  /**
   * A loop over single rows; they are fetched 256 at a time.
   *
   * Cancellation: loses the rows that were asked for. As in `fetch`.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, undefined, undefined> {
    for await (const rows of this.batches(USUAL_BATCH)) yield* rows;
    return undefined;
  }

  /**
   * Gives up what is left. The end of the transaction does the same, so nothing is sent where that is near: in one that has
   * failed, or while something else runs.
   *
   * Cancellation: safe. It ends with the transaction at the latest.
   */
  async close(): Promise<void> {
    const { link, isOver } = this.#session;
    const isOpen = this.#state === "open";
    this.#state = "over";
    if (isOpen && !isOver && link.status === "idle" && link.transaction === "active") {
      await this.#session.run(() => this.#portal.close());
    }
  }

  /**
   * The same as `close()`.
   *
   * Cancellation: safe. As in `close`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function notInTransaction(text: string): PostgresError {
  const line = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return new PostgresError(
    "MW_ERR_PG_NOT_IN_TRANSACTION",
    `Cannot read "${line}" with a cursor: no transaction is open, and a cursor lives in one; use connection.transaction(), or pool.cursor()`,
  );
}
