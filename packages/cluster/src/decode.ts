// Reads what encode.ts wrote. The text may come from anybody: nothing in it names code, and what is no such text is refused.

import { type Cell, type Entry, KIND } from "./encode.ts";
import { bareError, define } from "./error-classes.ts";
import { ClusterError } from "./errors.ts";

const VIEWS: ReadonlyMap<string, new (buffer: ArrayBuffer) => ArrayBufferView> = new Map(
  [
    DataView,
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float16Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ].map((view) => [view.name, view as new (buffer: ArrayBuffer) => ArrayBufferView]),
);

/**
 * The value of a table, as `JSON.parse` gives it.
 *
 * @throws {@link ClusterError} `MW_ERR_CLUSTER_REFUSED` for what `encodeValue` has not made
 */
export function decodeValue(parsed: unknown): unknown {
  try {
    const table = parsed as Entry[];
    if (table[0]?.[0] === "=") return table[1];
    return new Decoder(table).decode();
  } catch (error) {
    throw error instanceof ClusterError ? error : unreadable(error);
  }
}

function unreadable(cause?: unknown): ClusterError {
  return new ClusterError("MW_ERR_CLUSTER_REFUSED", "Cannot read a value: it was not written by this package", {
    cause,
  });
}

class Decoder {
  readonly #table: readonly Entry[];
  readonly #values: unknown[];

  constructor(table: readonly Entry[]) {
    this.#table = table;
    this.#values = table.map(shell);
  }

  decode(): unknown {
    for (const [index, entry] of this.#table.entries()) this.#fill(this.#values[index], entry);
    return this.#values[0];
  }

  #value(cell: Cell | undefined): unknown {
    if (cell === undefined) throw unreadable();
    if (typeof cell !== "object" || cell === null) return cell;
    const [index] = cell;
    // Not a name: an array has more properties than its entries.
    if (!Number.isInteger(index) || index < 0 || index >= this.#values.length) throw unreadable();
    return this.#values[index];
  }

  #fill(value: unknown, [kind, ...cells]: Entry): void {
    switch (kind) {
      case KIND.array:
        for (const cell of cells) (value as unknown[]).push(this.#value(cell));
        return;
      case KIND.sparse:
        (value as unknown[]).length = cells[0] as number;
        return this.#properties(value as object, cells.slice(1));
      case KIND.object:
        return this.#properties(value as object, cells);
      case KIND.date:
        (value as Date).setTime(this.#value(cells[0]) as number);
        return;
      case KIND.map:
        for (let i = 0; i < cells.length; i += 2)
          (value as Map<unknown, unknown>).set(this.#value(cells[i]), this.#value(cells[i + 1]));
        return;
      case KIND.set:
        for (const cell of cells) (value as Set<unknown>).add(this.#value(cell));
        return;
      case KIND.error:
        return this.#ownOf(value as Error, cells.slice(4));
      default:
    }
  }

  /** What an error has beside its class, name, message and stack. */
  #ownOf(error: Error, cells: readonly Cell[]): void {
    for (let i = 0; i < cells.length; i += 3) {
      const key = String(cells[i]);
      // They are texts already, and everybody takes them for that.
      if (key === "stack" || key === "message") throw unreadable();
      define(error, key, this.#value(cells[i + 2]), cells[i + 1] === true);
    }
  }

  #properties(target: object, cells: readonly Cell[]): void {
    for (let i = 0; i < cells.length; i += 2) {
      const value = this.#value(cells[i + 1]);
      // Defined, not set: "__proto__" is a name like any other.
      define(target, String(cells[i]), value, true);
    }
  }
}

/** The value of an entry before what lies in it is there. */
function shell([kind, first, second, third, fourth]: Entry): unknown {
  switch (kind) {
    case KIND.array:
    case KIND.sparse:
      return [];
    case KIND.object:
      return {};
    case KIND.map:
      return new Map();
    case KIND.set:
      return new Set();
    case KIND.date:
      return new Date(0);
    case KIND.regexp:
      return new RegExp(String(first), String(second));
    case KIND.bigint:
      return BigInt(String(first));
    case KIND.number:
      return Number(first);
    case KIND.undefined:
      return undefined;
    case KIND.boxed:
      return boxed(String(first), String(second));
    case KIND.buffer:
      return bytesOf(first);
    case KIND.view:
      return viewOf(String(first), bytesOf(second));
    case KIND.error:
      return errorOf(String(first), String(second), String(third), String(fourth));
    default:
      throw unreadable();
  }
}

function boxed(type: string, text: string): unknown {
  if (type === "string") return Object(text);
  if (type === "number") return Object(Number(text));
  if (type === "bigint") return Object(BigInt(text));
  if (type === "boolean") return Object(text === "true");
  throw unreadable();
}

function bytesOf(text: unknown): ArrayBuffer {
  const bytes = Buffer.from(String(text), "base64");
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

function viewOf(name: string, bytes: ArrayBuffer): ArrayBufferView {
  const View = VIEWS.get(name);
  if (View === undefined) throw unreadable();
  return new View(bytes);
}

function errorOf(type: string, name: string, message: string, stack: string): Error {
  const error = bareError(type, name, message);
  define(error, "stack", stack, false);
  return error;
}
