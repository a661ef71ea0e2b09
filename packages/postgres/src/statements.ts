// From what a user writes to what a link runs.

import { badArgument } from "./checks.ts";
import type { CommandResult } from "./command-tag.ts";
import { ExecuteMany } from "./execute-many.ts";
import type { Operation } from "./operation.ts";
import { Execute, FetchRow, FetchRows, FetchValue } from "./query.ts";
import { Script } from "./script.ts";
import { Sql, type SqlInput } from "./sql.ts";

/** The text of a statement. */
export function textOf(statement: SqlInput): string {
  if (Sql.isMade(statement)) return statement.text;
  if (typeof statement === "string" && !statement.includes("\0")) return statement;
  throw badArgument("statement", statement, "a string without NUL characters, or what the tag sql has made");
}

/** The arguments of a statement: those of its own, or those that stand beside it. */
export function argsOf(statement: SqlInput, args: readonly unknown[]): readonly unknown[] {
  if (!Sql.isMade(statement)) return args;
  if (args.length === 0) return statement.values;
  throw badArgument("args", args, "none beside a statement of the tag sql: insert the values into the template");
}

export function rowsOf<T>(statement: SqlInput, args: readonly unknown[]): Operation<T[]> {
  return new FetchRows<T>(textOf(statement), argsOf(statement, args));
}

export function firstRowOf<T>(statement: SqlInput, args: readonly unknown[]): Operation<T | undefined> {
  return new FetchRow<T>(textOf(statement), argsOf(statement, args));
}

export function valueOf<T>(statement: SqlInput, args: readonly unknown[]): Operation<T | undefined> {
  return new FetchValue<T>(textOf(statement), argsOf(statement, args));
}

/** Without arguments it may be several statements. */
export function executeOf(statement: SqlInput, args: readonly unknown[]): Operation<CommandResult> {
  const all = argsOf(statement, args);
  return all.length === 0 ? new Script(textOf(statement)) : new Execute(textOf(statement), all);
}

export function executeManyOf(statement: string, lists: Iterable<readonly unknown[]>): Operation<number> {
  const given: unknown = statement;
  if (Sql.isMade(given) && given.values.length > 0)
    throw badArgument("statement", statement, "a text with $1, $2, … without values: the lists give them");
  return new ExecuteMany(textOf(statement), lists);
}

/** One of our own statements, or several. */
export function command(text: string): Operation<CommandResult> {
  return new Script(text);
}
