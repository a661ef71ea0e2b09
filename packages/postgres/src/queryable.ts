// What a connection and a pool have in common: the calls that need one statement.

import type { CommandResult } from "./command-tag.ts";
import type { SqlInput } from "./sql.ts";

/** A row, by the names of its columns. Of several columns with the same name the last one counts: give them names with `as`. */
export type Row = Record<string, unknown>;

/** One who runs statements: a {@link Pool}, or a {@link Connection}. For functions that work with either. */
export interface Queryable {
  /**
   * All rows.
   *
   * Cancellation: loses the result. The server is asked to end the statement.
   */
  fetch<T = Row>(statement: SqlInput, ...args: readonly unknown[]): Promise<T[]>;
  /**
   * The first row; undefined if there is none.
   *
   * Cancellation: loses the result. The server is asked to end the statement.
   */
  fetchRow<T = Row>(statement: SqlInput, ...args: readonly unknown[]): Promise<T | undefined>;
  /**
   * The first column of the first row; undefined if there is no row.
   *
   * Cancellation: loses the result. The server is asked to end the statement.
   */
  fetchValue<T = unknown>(statement: SqlInput, ...args: readonly unknown[]): Promise<T | undefined>;
  /**
   * Runs a statement whose rows are of no interest.
   *
   * Cancellation: loses the result. The server is asked to end the statement.
   */
  execute(statement: SqlInput, ...args: readonly unknown[]): Promise<CommandResult>;
  /**
   * Runs a statement once for each list of arguments, all or none of them. Returns how often that was.
   *
   * Cancellation: loses the result: none of them was done, or, if the server was faster, all.
   */
  executeMany(statement: string, argLists: Iterable<readonly unknown[]>): Promise<number>;
}
