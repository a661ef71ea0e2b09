// What COPY copies into or out of, as its users name it, and the statement that makes.

import { badArgument, checks } from "./checks.ts";
import { checkNames, type OptionNames } from "./option-names.ts";
import { withoutComments } from "./session-state.ts";
import { quoteName } from "./sql.ts";

/** A table, and what of it. */
export interface CopyTable {
  /** Its name, or schema and name in an array. */
  readonly table: string | readonly [schema: string, table: string];
  /** Which columns, and in which order. Default: all but those that the server generates from others. */
  readonly columns?: readonly string[] | undefined;
  /** As the server has it. Rows in arrays are always `text`. Default: `"text"`. */
  readonly format?: "text" | "csv" | "binary" | undefined;
  /** With `csv`: whether the first line names the columns. Default: `false`. */
  readonly header?: boolean | undefined;
}

/** The result of a query. It takes no arguments: COPY has none. */
export interface CopyQuery extends Pick<CopyTable, "format" | "header"> {
  /** The text of the query. */
  readonly query: string;
}

/** Where COPY writes: a table, or a statement `COPY … FROM STDIN …`. */
export type CopyTarget = string | CopyTable;
/** What COPY reads: a table, a query, or a statement `COPY … TO STDOUT …`. */
export type CopyToTarget = string | CopyTable | CopyQuery;

const TABLE_NAMES: OptionNames<CopyTable> = { table: true, columns: true, format: true, header: true };
const QUERY_NAMES: OptionNames<CopyQuery> = { query: true, format: true, header: true };
const FORMATS = ["text", "csv", "binary"];

/**
 * The statement that copies into a target.
 *
 * @throws {@link PostgresError} `MW_ERR_PG_INVALID_ARGUMENT`
 */
export function copyFromText(target: CopyTarget): string {
  if (typeof target === "string") return checkStatement("target", target);
  checkObject(target, "{ table }");
  return `copy ${placeOf(target)} from stdin${formatOf(target)}`;
}

/**
 * The statement that copies out of a target.
 *
 * @throws {@link PostgresError} `MW_ERR_PG_INVALID_ARGUMENT`
 */
export function copyToText(target: CopyToTarget): string {
  if (typeof target === "string") return checkStatement("target", target);
  checkObject(target, "{ table }, or { query }");
  return `copy ${"query" in target ? queryOf(target) : placeOf(target)} to stdout${formatOf(target)}`;
}

/** The table, as it stands in a statement. */
export function tableOf({ table }: CopyTable): string {
  const names: unknown = typeof table === "string" ? [table] : table;
  if (!Array.isArray(names) || names.length === 0)
    throw badArgument("table", table, "the name of a table, or schema and name in an array");
  return quoteName(names);
}

/** The columns, as they stand in a statement; undefined for all. */
export function columnsOf({ columns }: CopyTable): string | undefined {
  if (columns === undefined) return undefined;
  if (!Array.isArray(columns) || columns.length === 0)
    throw badArgument("columns", columns, "the names of columns in an array");
  return columns.map((name) => quoteName([name])).join(", ");
}

function checkObject(target: unknown, wanted: string): void {
  if (typeof target === "object" && target !== null && !Array.isArray(target)) return;
  throw badArgument("target", target, `a statement, or ${wanted}`);
}

function checkStatement(name: string, text: unknown): string {
  if (typeof text === "string" && text !== "" && !text.includes("\0")) return text;
  throw badArgument(name, text, "a statement, as a string without NUL characters");
}

function placeOf(target: CopyTable): string {
  checkNames("target", target, TABLE_NAMES);
  const columns = columnsOf(target);
  return columns === undefined ? tableOf(target) : `${tableOf(target)} (${columns})`;
}

function queryOf(target: CopyQuery): string {
  checkNames("target", target, QUERY_NAMES);
  // On a line of its own is what a comment at its end would swallow; a semicolon ends a statement, and this is part of one.
  const text = checkStatement("query", target.query);
  const bare = withoutComments(text).trimEnd();
  return `(${(bare.endsWith(";") ? bare : text).replace(/[\s;]+$/, "")}\n)`;
}

function formatOf({ format, header }: Pick<CopyTable, "format" | "header">): string {
  checks.word("format", format, FORMATS);
  checks.flag("header", header);
  const options = [format === undefined ? "" : `format ${format}`, header === true ? "header true" : ""];
  const given = options.filter((option) => option !== "");
  return given.length === 0 ? "" : ` with (${given.join(", ")})`;
}
