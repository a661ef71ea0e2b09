// How values of the server become values of JavaScript and the other way round: what a user can say about it.

/** Reads the text of a value; NULL is never given to it. */
export type ParseValue<T = unknown> = (text: string) => T;

/** Both ways of a type. */
export interface TypeCodec<T = unknown> {
  /** From the text of the server. Default: the text as it is. */
  readonly parse?: ParseValue<T> | undefined;
  /** To the text for the server; null and undefined are never given to it. Default: as for a type that is not known. */
  readonly encode?: ((value: T) => string) | undefined;
}

/**
 * How types are read, by the name of the type or its OID. Arrays of a type are read by what is said for the type.
 *
 * Types that are not here are text, both ways, ranges and composite types among them.
 *
 * @example
 * ```ts
 * import { connect } from "@meanwhile/postgres";
 *
 * await using connection = await connect({ types: { int8: "number", uuid: (text) => text.toUpperCase() } });
 * console.log(await connection.fetchValue("select 42::int8")); //> 42
 * ```
 */
export interface TypeParsers {
  /** `bigint`; with `number` a value above 2⁵³ is an error. Default: `bigint`. */
  readonly int8?: "bigint" | "number" | "string" | ParseValue | TypeCodec | undefined;
  /** `number` may lose digits. Default: `string`. */
  readonly numeric?: "string" | "number" | ParseValue | TypeCodec | undefined;
  /** `YYYY-MM-DD`; `utc` is a `Date` at midnight, UTC, and `infinity` the number. Default: `string`. */
  readonly date?: "string" | "utc" | ParseValue | TypeCodec | undefined;
  /** It has no time zone, so it is no moment; with `utc` it is read, and written, as one in UTC. Default: `string`. */
  readonly timestamp?: "string" | "utc" | ParseValue | TypeCodec | undefined;
  /** A `Date` has milliseconds, the server microseconds. `infinity` is the number. Default: `date`. */
  readonly timestamptz?: "date" | "string" | ParseValue | TypeCodec | undefined;
  /** `parsed` writes what JSON.stringify gives, of a string too; `string` reads and writes the text. Default: `parsed`. */
  readonly json?: "parsed" | "string" | ParseValue | TypeCodec | undefined;
  /** As `json`; in an argument for an array of either, an array is a document. Default: `parsed`. */
  readonly jsonb?: "parsed" | "string" | ParseValue | TypeCodec | undefined;
  /** Any other type, by name or OID. A name that the server does not know is asked for again with each connection. */
  readonly [type: string]: string | ParseValue | TypeCodec | undefined;
}
