// Which type is read and written how. One for a pool; types of the user's making are found by name when the first connection
// is made.

import { parseArray } from "./array-text.ts";
import { badArgument } from "./checks.ts";
import { type ColumnType, type RowReader, RowReaders } from "./row-reader.ts";
import {
  type ArgumentEncoder,
  arrayEncoder,
  documentArrayEncoder,
  encoderOf,
  plainEncoder,
  textEncoder,
} from "./type-encoders.ts";
import { ALIASES, BUILT_IN, VOID } from "./type-oids.ts";
import { namedParser, type ValueParser } from "./type-parsers.ts";
import type { ParseValue, TypeCodec, TypeParsers } from "./types.ts";
import { readerOf, readText, type ValueReader } from "./value-readers.ts";

/** A type of which the OID must be asked for. */
export interface FoundType {
  readonly name: string;
  readonly oid: number;
  readonly arrayOid: number;
}

/** The first OID of types that are not of the server itself, but made with SQL. */
const FIRST_MADE = 10_000;
/** A result has no more columns. */
const MOST_ASKED = 1_600;

const DEFAULTS: Readonly<Record<string, string>> = {
  int8: "bigint",
  timestamptz: "date",
  json: "parsed",
  jsonb: "parsed",
  numeric: "string",
  date: "string",
  timestamp: "string",
};

export class TypeRegistry {
  readonly #parsers = new Map<number, ValueParser>();
  readonly #encoders = new Map<number, ArgumentEncoder>();
  readonly #rowReaders: RowReaders = new RowReaders(this);
  // What was said of types whose OIDs are not known yet.
  readonly #unknown = new Map<string, TypeCodec>();

  /** @throws {@link PostgresError} `MW_ERR_PG_INVALID_ARGUMENT` */
  constructor(options: TypeParsers = {}) {
    if (typeof options !== "object" || options === null) throw badArgument("types", options, "an object");
    for (const [name, oid, arrayOid] of BUILT_IN) this.#add({ name, oid, arrayOid }, codecFor(name, DEFAULTS[name]));
    this.#parsers.set(VOID, () => null);
    for (const [key, said] of Object.entries(options)) {
      if (said !== undefined) this.#configure(nameOf(key), said);
    }
  }

  /** The types that must be looked up: by name, as `::regtype` takes it. */
  get unknown(): string[] {
    return [...this.#unknown.keys()];
  }

  /** What the server says of an unknown type. */
  resolve(found: FoundType): void {
    const codec = this.#unknown.get(found.name);
    if (codec === undefined) return;
    this.#unknown.delete(found.name);
    this.#add(found, codec);
  }

  /** How a value of a type is read. */
  reader(oid: number): ValueReader {
    const parse = this.#parsers.get(oid);
    return parse === undefined ? readText : readerOf(parse);
  }

  /** Of these types those that may be domains, and were not asked after yet: each once. */
  unlearned(oids: ReadonlyArray<number>): number[] {
    const strange = oids.filter((oid) => oid >= FIRST_MADE && !this.#encoders.has(oid));
    return strange.length === 0 ? strange : [...new Set(strange)].slice(0, MOST_ASKED);
  }

  /** A domain is written as the type it is made of is. */
  learn(oids: ReadonlyArray<number>, bases: ReadonlyArray<number>): void {
    for (const [at, oid] of oids.entries()) this.#encoders.set(oid, this.encoder(bases[at] ?? oid));
  }

  /** What makes rows of a result with these columns. */
  rowReader(fields: ReadonlyArray<ColumnType>): RowReader {
    return this.#rowReaders.for(fields);
  }

  /** How an argument of a type is written. */
  encoder(oid: number): ArgumentEncoder {
    return this.#encoders.get(oid) ?? plainEncoder;
  }

  #configure(key: string, said: string | ParseValue | TypeCodec): void {
    const codec = codecFor(key, said);
    const known = BUILT_IN.find(([name, oid]) => name === key || String(oid) === key);
    if (known !== undefined) {
      const [name, oid, arrayOid] = known;
      this.#add({ name, oid, arrayOid }, codecFor(name, said));
    } else if (/^\d+$/.test(key)) this.#add({ name: key, oid: Number(key), arrayOid: 0 }, codec);
    else this.#unknown.set(key, codec);
  }

  #add({ name, oid, arrayOid }: FoundType, { parse, encode }: TypeCodec): void {
    const encoder = encode === undefined ? encoderOf(name) : textEncoder(name, encode);
    if (parse === undefined) this.#parsers.delete(oid);
    else this.#parsers.set(oid, parse);
    this.#encoders.set(oid, encoder);
    if (arrayOid === 0) return;
    // Of all types boxes alone have another delimiter, and they are text.
    this.#parsers.set(arrayOid, (text) => parseArray(text, parse ?? null));
    const isDocument = name === "json" || name === "jsonb";
    this.#encoders.set(arrayOid, isDocument ? documentArrayEncoder(encoder) : arrayEncoder(encoder));
  }
}

function nameOf(key: string): string {
  const name = key.toLowerCase();
  return Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? key) : key;
}

function codecFor(name: string, said: string | ParseValue | TypeCodec | undefined): TypeCodec {
  if (typeof said === "function") return { parse: said };
  if (typeof said === "object" && said !== null) {
    for (const key of ["parse", "encode"] as const) {
      const given: unknown = said[key];
      if (given !== undefined && typeof given !== "function")
        throw badArgument(`types.${name}.${key}`, given, "a function");
    }
    return said;
  }
  const codec = namedParser(name, said);
  if (codec === null)
    throw badArgument(
      `types.${name}`,
      said,
      "a name that docs/postgres.md lists for the type, a function, or { parse, encode }",
    );
  return codec;
}
