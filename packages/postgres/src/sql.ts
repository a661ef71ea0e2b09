// Statements put together of texts and values, so that a value can never become text.

import { inspect } from "node:util";

import { badArgument } from "./checks.ts";
import { withoutComments } from "./session-state.ts";

/** What every call that takes a statement takes: its text with `$1`, `$2`, … and the values apart, or both in one. */
export type SqlInput = string | Sql;

/**
 * A statement, or a part of one, with its values. Made by {@link sql}; never by hand, so that a string of a user can never
 * pass for one.
 */
export class Sql {
  // Invariant: one text more than values. What is between two texts is a parameter.
  readonly #texts: readonly string[];
  readonly #values: readonly unknown[];
  #text: string | undefined;

  /** @internal */
  constructor(texts: readonly string[], values: readonly unknown[], text?: string) {
    this.#texts = texts;
    this.#values = values;
    this.#text = text;
  }

  /** The text, with `$1`, `$2`, … in the place of the values. */
  get text(): string {
    return (this.#text ??= numbered(this.#texts));
  }

  /** The values, in the order of their numbers. */
  get values(): readonly unknown[] {
    return this.#values;
  }

  /** @internal Whether it was made by {@link sql}: an object with this prototype is not enough. */
  static isMade(this: void, value: unknown): value is Sql {
    return typeof value === "object" && value !== null && #texts in value;
  }

  /** @internal The texts around the values. */
  get texts(): readonly string[] {
    return this.#texts;
  }
}

// Never with the values: they may be secret.
Object.defineProperty(Sql.prototype, inspect.custom, {
  value(this: Sql): string {
    return `Sql(${JSON.stringify(this.text)}, ${this.values.length} values)`;
  },
});

/** What {@link sql} does beside being a tag. */
export interface SqlTag {
  /** Makes a statement, or a part of one. A value becomes a parameter; another {@link Sql} is put in as it is. */
  (strings: TemplateStringsArray, ...values: readonly unknown[]): Sql;
  /** A name, quoted: of a table, a column, a schema. Several are joined by dots. */
  identifier(...names: readonly [string, ...string[]]): Sql;
  /**
   * Parts or values in a row, with a separator between them.
   *
   * @param separator - text that goes between them as it is; never from a user. Default: `", "`
   */
  join(items: Iterable<unknown>, separator?: string): Sql;
  /** Rows of values for `insert into t (a, b) values …`: `($1, $2), ($3, $4)`. */
  rows(rows: Iterable<readonly unknown[]>): Sql;
  /** Text that goes in as it is. Never from a user. */
  raw(text: string): Sql;
}

// One text for each place in a program: it is the key by which prepared statements are found.
const textsOfPlaces = new WeakMap<TemplateStringsArray, string>();

/**
 * Makes a statement of a template. What is inserted becomes a parameter, whatever it is; only what {@link sql} itself has
 * made becomes text, so parts compose.
 *
 * @throws {@link PostgresError} `MW_ERR_PG_INVALID_ARGUMENT` for a name that cannot be one, or a list that is empty
 * @see {@link https://github.com/porsager/postgres#building-queries}
 *
 * @example
 * ```ts
 * import { sql } from "@meanwhile/postgres";
 *
 * const name = "o'neill";
 * const recent = sql`created_at > ${new Date(0)}`;
 * const query = sql`select * from ${sql.identifier("app", "users")} where name = ${name} and ${recent}`;
 * console.log(query.text); //> select * from "app"."users" where name = $1 and created_at > $2
 * console.log(query.values.length); //> 2
 * ```
 */
export const sql: SqlTag = Object.assign(tag, { identifier, join, rows, raw });

function tag(strings: TemplateStringsArray, ...values: readonly unknown[]): Sql {
  if (!Array.isArray(strings) || !("raw" in strings)) {
    throw badArgument("strings", strings, "a template: sql`select ${value}`, without parentheses");
  }
  if (values.some(Sql.isMade)) return composed(strings, values);
  let text = textsOfPlaces.get(strings);
  if (text === undefined) {
    text = numbered(strings);
    textsOfPlaces.set(strings, text);
  }
  return new Sql(strings, values, text);
}

function identifier(...names: readonly [string, ...string[]]): Sql {
  if (names.length === 0) throw badArgument("names", names, "at least one name");
  return new Sql([quoteName(names)], []);
}

function join(items: Iterable<unknown>, separator = ", "): Sql {
  if (typeof separator !== "string") throw badArgument("separator", separator, "a string");
  const list = [...iterable("items", items)];
  if (list.length === 0) {
    throw badArgument("items", list, "at least one item; for an empty list write = any($1) with an array");
  }
  return composed(["", ...list.slice(1).map(() => separator), ""], list);
}

function rows(given: Iterable<readonly unknown[]>): Sql {
  return join(
    Array.from(iterable("rows", given), (row) => {
      if (!Array.isArray(row)) throw badArgument("rows", row, "arrays of values");
      return composed(["(", ")"], [join(row)]);
    }),
  );
}

function iterable<T>(name: string, given: Iterable<T>): Iterable<T> {
  const value: unknown = given;
  if (typeof value === "object" && value !== null && Symbol.iterator in value) return given;
  throw badArgument(name, value, "an array, or something else that can be iterated");
}

function raw(text: string): Sql {
  if (typeof text !== "string") throw badArgument("text", text, "a string");
  return new Sql([text], []);
}

/** @internal A name, or one with its schema before it, as it stands in a statement. */
export function quoteName(names: readonly string[]): string {
  return names
    .map((name) => {
      if (typeof name !== "string" || name === "" || name.includes("\0")) {
        throw badArgument("name", name, "a string that is not empty and has no NUL character");
      }
      return `"${name.replaceAll('"', '""')}"`;
    })
    .join(".");
}

function composed(strings: readonly string[], inserted: readonly unknown[]): Sql {
  const texts = [strings[0] ?? ""];
  const values: unknown[] = [];
  const append = (text: string): void => {
    texts[texts.length - 1] += text;
  };
  for (const [index, value] of inserted.entries()) {
    if (Sql.isMade(value)) {
      append(value.texts[0] ?? "");
      texts.push(...value.texts.slice(1));
      values.push(...value.values);
    } else {
      values.push(value);
      texts.push("");
    }
    append(strings[index + 1] ?? "");
  }
  return new Sql(texts, values);
}

/** What a statement has that is no code, beside comments: texts, names. */
const NO_CODE = /\be'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"[^"]*"|\$([a-z_]\w*)?\$.*?\$\1\$/gis;

/** @throws {@link PostgresError} `MW_ERR_PG_INVALID_ARGUMENT` for a number of a parameter that would be that of another one */
function numbered(texts: readonly string[]): string {
  if (texts.length > 1 && texts.some((text) => text.includes("$"))) {
    const code = withoutComments(texts.join("?")).replaceAll(NO_CODE, " ");
    if (/(?<!\w)\$\d/.test(code))
      throw badArgument("strings", texts, "no $1 of your own beside values: insert each value");
  }
  if (texts.slice(1).some((text) => /^\d/.test(text)))
    throw badArgument("strings", texts, "a template with no digit right behind a value: it would change its number");
  let text = texts[0] ?? "";
  for (let index = 1; index < texts.length; index++) text += `$${index}${texts[index]}`;
  return text;
}
