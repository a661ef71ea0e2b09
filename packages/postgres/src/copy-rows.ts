// Rows as the text format of COPY has them.
//
// @see https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS

import { PostgresError } from "./errors.ts";
import type { Field } from "./operation.ts";
import { Prepare } from "./prepare.ts";
import { FetchRows } from "./query.ts";
import type { Session } from "./session.ts";
import type { ArgumentEncoder } from "./type-encoders.ts";
import { UnsuitableValue } from "./value-errors.ts";

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\b": "\\b",
  "\f": "\\f",
  "\v": "\\v",
};

/** Writes rows; knows the columns they go to. */
export class RowWriter {
  readonly #names: readonly string[];
  readonly #encoders: readonly ArgumentEncoder[];
  #count = 0;

  /** Asks the server for the types of the columns, so that a value is written, or refused, as an argument would be. */
  static async forColumns(session: Session, table: string, columns: string | undefined): Promise<RowWriter> {
    const statement = await session.run(() => new Prepare(`select ${columns ?? "*"} from ${table} where false`));
    // One that is kept would have the columns of today the next time as well.
    session.link.statements.drop(statement);
    const { fields } = statement;
    const copied = columns === undefined ? await withoutGenerated(session, fields) : fields;
    const { types } = session.link.settled;
    return new RowWriter(
      copied.map(({ name }) => name),
      copied.map(({ dataTypeID }) => types.encoder(dataTypeID)),
    );
  }

  private constructor(names: readonly string[], encoders: readonly ArgumentEncoder[]) {
    this.#names = names;
    this.#encoders = encoders;
  }

  /** A row, with its end. */
  line(row: unknown): string {
    const index = this.#count;
    this.#count += 1;
    if (!Array.isArray(row) || row.length !== this.#encoders.length) {
      const what = Array.isArray(row) ? `it has ${row.length} values` : "it is no array";
      throw new PostgresError(
        "MW_ERR_PG_ARGUMENT_COUNT",
        `Cannot copy the row at index ${index}: ${what}, and there are ${this.#encoders.length} columns: ${this.#names.join(", ")}`,
      );
    }
    const values: readonly unknown[] = row;
    let line = "";
    for (let at = 0; at < values.length; at++) line += (at === 0 ? "" : "\t") + this.#field(values[at], at, index);
    return `${line}\n`;
  }

  #field(value: unknown, at: number, index: number): string {
    if (value === null) return "\\N";
    try {
      if (value === undefined) throw new UnsuitableValue(value, "of the column", "null for NULL");
      const encoded = this.#encoders[at]?.(value) ?? null;
      if (encoded === null) return "\\N";
      const text = typeof encoded === "string" ? encoded : `\\x${Buffer.from(encoded).toString("hex")}`;
      return text.replaceAll(/[\\\n\r\t\b\f\v]/g, (character) => ESCAPES[character] ?? character);
    } catch (cause) {
      const why = cause instanceof UnsuitableValue ? cause.message : "its encoder threw";
      throw new PostgresError(
        "MW_ERR_PG_ARGUMENT_TYPE",
        `Cannot copy the row at index ${index}: its value for ${this.#names[at]} does not fit: ${why}`,
      );
    }
  }
}

const GENERATED = "select attnum from pg_catalog.pg_attribute where attrelid = $1 and attgenerated <> ''";
/** The first version that has such columns. */
const FIRST_WITH_GENERATED = 12;

/** A COPY that names no columns leaves those out that the server generates from others. */
async function withoutGenerated(session: Session, fields: readonly Field[]): Promise<readonly Field[]> {
  const [first] = fields;
  const version = Number.parseInt(session.link.parameters.get("server_version") ?? "", 10);
  if (first === undefined || version < FIRST_WITH_GENERATED) return fields;
  const rows = await session.run(() => new FetchRows<{ attnum: unknown }>(GENERATED, [first.tableID]));
  const generated = new Set(rows.map(({ attnum }) => Number(attnum)));
  return fields.filter(({ columnID }) => !generated.has(columnID));
}
