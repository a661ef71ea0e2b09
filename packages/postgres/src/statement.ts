// A statement that a server has prepared for one connection, and what is known of it.

import type { Encoded } from "./message-writer.ts";
import { writer } from "./message-writer.ts";
import type { Field } from "./operation.ts";
import type { RowReader } from "./row-reader.ts";
import type { ArgumentEncoder } from "./type-encoders.ts";
import type { TypeRegistry } from "./type-registry.ts";
import { unsuitableArgument, wrongCount } from "./value-errors.ts";
import type { ValueReader } from "./value-readers.ts";

const NO_FIELDS: ReadonlyArray<Field> = [];

export class Statement {
  /** By what the server knows it; empty for the one that is forgotten with the next. */
  readonly name: string;
  readonly text: string;
  /** The types of the parameters, by their OIDs. */
  readonly parameters: ReadonlyArray<number>;
  /** The columns of its result; empty if it has no rows. */
  readonly fields: ReadonlyArray<Field>;
  readonly readRow: RowReader;
  /** Reads the first column; null if there is none. */
  readonly readFirst: ValueReader | null;
  /** How many hold it: until there is none, the server is not told to forget it. */
  holders = 0;
  readonly #encoders: ReadonlyArray<ArgumentEncoder>;
  // Without parameters it is always the same that is sent.
  #message: Buffer | null = null;

  constructor(
    { name, text }: { readonly name: string; readonly text: string },
    parameters: ReadonlyArray<number>,
    fields: ReadonlyArray<Field> | null,
    types: TypeRegistry,
  ) {
    this.name = name;
    this.text = text;
    this.parameters = parameters;
    this.fields = fields ?? NO_FIELDS;
    this.readRow = types.rowReader(this.fields);
    const [first] = this.fields;
    this.readFirst = first === undefined ? null : types.reader(first.dataTypeID);
    this.#encoders = parameters.map((oid) => types.encoder(oid));
  }

  /**
   * Bind, Execute and Sync.
   *
   * @throws {@link PostgresError} `MW_ERR_PG_ARGUMENT_COUNT` or `MW_ERR_PG_ARGUMENT_TYPE`
   */
  messageFor(args: ReadonlyArray<unknown>, limit: number): Buffer {
    if (args.length === 0 && this.parameters.length === 0 && limit === 0) {
      this.#message ??= writer.bind("", this.name, []).execute("", 0).sync().take();
      return this.#message;
    }
    return writer.bind("", this.name, this.encode(args)).execute("", limit).sync().take();
  }

  /**
   * Checks and encodes the arguments; throws as {@link Statement.messageFor}.
   *
   * @param index - which of many lists it is, for the error
   */
  encode(args: ReadonlyArray<unknown>, index?: number): Encoded[] {
    const encoders = this.#encoders;
    if (args.length !== encoders.length) throw wrongCount(this.text, args.length, encoders.length, index);
    const encoded: Encoded[] = [];
    for (let at = 0; at < encoders.length; at++) {
      const value = args[at];
      try {
        encoded.push(value === null ? null : (encoders[at]?.(value) ?? null));
      } catch (error) {
        throw unsuitableArgument(this.text, at, error, index);
      }
    }
    return encoded;
  }
}
