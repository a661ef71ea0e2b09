// Makes rows of what the server sends. For each form of result there is one function, compiled: a literal with all columns is
// several times faster than setting them one by one (bench/README.md, row `postgres-rows`).

import { unreadable } from "./value-errors.ts";
import type { ValueReader } from "./value-readers.ts";

/** From the bytes of a row to the row. `at` is where its first column begins, with its length. */
export type RowReader = (bytes: Buffer, at: number) => Record<string, unknown>;

/** What a reader must know of a column. */
export interface ColumnType {
  readonly name: string;
  readonly dataTypeID: number;
}

/** Who knows how types are read. */
interface Readers {
  reader(oid: number): ValueReader;
}

/** Results have few forms, but a program that makes up names of columns has many. */
const MOST_READERS = 1_000;
/** With more columns a function takes longer to compile than it saves. */
const MOST_COMPILED = 200;

/** The readers of the results that were seen, for all connections of a pool. */
export class RowReaders {
  readonly #types: Readers;
  readonly #readers = new Map<string, RowReader>();

  constructor(types: Readers) {
    this.#types = types;
  }

  for(fields: ReadonlyArray<ColumnType>): RowReader {
    const key = JSON.stringify(fields.map(({ name, dataTypeID }) => [name, dataTypeID]));
    let reader = this.#readers.get(key);
    if (reader === undefined) {
      if (this.#readers.size >= MOST_READERS) this.#readers.clear();
      const names = fields.map(({ name }) => name);
      const readers = fields.map(({ dataTypeID }) => this.#types.reader(dataTypeID));
      const isCompiled = names.length <= MOST_COMPILED;
      reader = (isCompiled ? compiledReader(names, readers) : null) ?? plainReader(names, readers);
      this.#readers.set(key, reader);
    }
    return reader;
  }
}

/** Reads the first column; undefined if there is none, null if it is NULL. */
export function readFirst(bytes: Buffer, at: number, read: ValueReader | null): unknown {
  if (read === null) return undefined;
  const length = bytes.readInt32BE(at);
  if (length > bytes.length - at - 4) refuseRow();
  return length < 0 ? null : read(bytes, at + 4, at + 4 + length);
}

/** Something on the way has changed what the server sent. */
function refuseRow(): never {
  throw unreadable("a row ends before its last column");
}

/** Does the same as a compiled one. */
export function plainReader(names: ReadonlyArray<string>, readers: ReadonlyArray<ValueReader>): RowReader {
  return (bytes, at) => {
    let start = at;
    const values = readers.map((read) => {
      const length = bytes.readInt32BE(start);
      start += 4;
      if (length < 0) return null;
      if (length > bytes.length - start) refuseRow();
      const end = start + length;
      const value = read(bytes, start, end);
      start = end;
      return value;
    });
    return Object.fromEntries(names.map((name, index) => [name, values[index]]));
  };
}

/** Null where code must not be made of text, by a policy or a flag of the engine. */
export function compiledReader(names: ReadonlyArray<string>, readers: ReadonlyArray<ValueReader>): RowReader | null {
  const steps = names.map(
    (_name, index) => `
      let v${index} = null;
      n = b.readInt32BE(i);
      i += 4;
      if (n > b.length - i) cut();
      if (n >= 0) { v${index} = r${index}(b, i, i + n); i += n; }`,
  );
  // In brackets "__proto__" is a name like any other; the others would be slower there.
  const members = names.map(
    (name, index) => `${name === "__proto__" ? '["__proto__"]' : JSON.stringify(name)}: v${index}`,
  );
  const code = `return (b, i) => { let n = 0; ${steps.join("")} return { ${members.join(", ")} }; };`;
  try {
    // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- the only foreign text in it is that of JSON.stringify
    const make: unknown = new Function("cut", ...readers.map((_reader, index) => `r${index}`), code);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the line above has it
    return (make as (cut: () => never, ...given: ReadonlyArray<ValueReader>) => RowReader)(refuseRow, ...readers);
  } catch {
    return null;
  }
}
