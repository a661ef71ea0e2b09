// Values on their way between machines, as text: what structured clone takes is taken here, and comes back as it was, with
// shared and circular references. Not V8's own serialization: other machines may run another Node, and its reader promises
// nothing for bytes that somebody has made up.
//
// The text is JSON: a table whose entry 0 is the value. In an entry, texts, finite numbers, booleans and null stand for
// themselves, and `[n]` stands for entry n. An entry is `[kind, ...]`; the kinds are below. The table is filled breadth first,
// without recursion, so that depth costs no stack.

import { inspect, types } from "node:util";

import { classNameOf } from "./error-classes.ts";
import { ClusterError } from "./errors.ts";

/** What an entry of the table is. */
export const KIND = {
  array: "A",
  object: "O",
  map: "M",
  set: "S",
  date: "D",
  regexp: "R",
  bigint: "N",
  number: "F",
  undefined: "U",
  buffer: "B",
  view: "V",
  error: "E",
  sparse: "H",
  boxed: "P",
} as const;

type Slot = readonly [index: number];
/** How a value stands in an entry. */
export type Cell = string | number | boolean | null | Slot;
/** An entry of the table. */
export type Entry = [kind: string, ...cells: Cell[]];

/**
 * The text of a value.
 *
 * @param value - anything that structured clone takes
 * @param at - how the caller calls the value, like `args`
 * @throws {@link ClusterError} `MW_ERR_CLUSTER_NOT_SENDABLE` with the path of what cannot be sent
 */
export function encodeValue(value: unknown, at: string): string {
  return new Encoder(at).encode(value);
}

interface Pending {
  readonly value: object | bigint | number | undefined;
  /** How to get to it: the entry that holds it, and the step from there. */
  readonly from: number;
  readonly step: string;
}

class Encoder {
  readonly #table: Entry[] = [];
  readonly #pending: Pending[] = [];
  readonly #known = new Map<unknown, Slot>();
  readonly #at: string;
  /** What is known of properties of errors: each is tried once, however deep the errors lie in each other. */
  readonly #sendable: Map<object, boolean>;
  #current = -1;

  constructor(at: string, sendable = new Map<object, boolean>()) {
    this.#sendable = sendable;
    this.#at = at;
  }

  encode(value: unknown): string {
    const root = this.#cell(value, "");
    // The list grows while it is read.
    for (let i = 0; i < this.#pending.length; i++) {
      this.#current = i;
      this.#table.push(this.#entry((this.#pending[i] as Pending).value));
    }
    return JSON.stringify(typeof root === "object" && root !== null ? this.#table : [["="], root]);
  }

  #cell(value: unknown, step: string): Cell {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) && !Object.is(value, -0) ? value : this.#slot(value, step);
      case "function":
        throw this.#refuse(step, "a function");
      case "symbol":
        throw this.#refuse(step, "a symbol");
      default:
        return value === null ? null : this.#slot(value, step);
    }
  }

  #slot(value: Pending["value"], step: string): Slot {
    const known = this.#known.get(value);
    // -0 and 0 are the same key, but 0 never comes here.
    if (known !== undefined) return known;
    const slot: Slot = [this.#pending.length];
    this.#known.set(value, slot);
    this.#pending.push({ value, from: this.#current, step });
    return slot;
  }

  #entry(value: Pending["value"]): Entry {
    if (value === undefined) return [KIND.undefined];
    if (typeof value === "bigint") return [KIND.bigint, String(value)];
    if (typeof value === "number") return [KIND.number, Object.is(value, -0) ? "-0" : String(value)];
    if (Array.isArray(value)) return this.#array(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    if ((prototype === Object.prototype || prototype === null) && !types.isProxy(value)) return this.#object(value);
    return this.#special(value);
  }

  #array(value: readonly unknown[]): Entry {
    const keys = Object.keys(value);
    // The keys that are an index come first, in order.
    const isPlain = keys.length === value.length && (keys.length === 0 || keys.at(-1) === String(keys.length - 1));
    if (!isPlain) return this.#sparse(value, keys);
    return [KIND.array, ...value.map((item, i) => this.#cell(item, `[${i}]`))];
  }

  /** With holes, or with properties that are no index. */
  #sparse(value: readonly unknown[], keys: readonly string[]): Entry {
    const cells = keys.flatMap((key) => [key, this.#cell(value[key as never], `[${JSON.stringify(key)}]`)]);
    return [KIND.sparse, value.length, ...cells];
  }

  #object(value: object): Entry {
    const entry: Entry = [KIND.object];
    for (const key of Object.keys(value)) entry.push(key, this.#cell((value as never)[key], stepTo(key)));
    return entry;
  }

  #special(value: object): Entry {
    if (types.isDate(value)) return [KIND.date, this.#cell(value.getTime(), ".getTime()")];
    if (types.isMap(value)) {
      const cells = [...value].flatMap(([key, item], i) => [
        this.#cell(key, `.keys()[${i}]`),
        this.#cell(item, `.values()[${i}]`),
      ]);
      return [KIND.map, ...cells];
    }
    if (types.isSet(value)) return [KIND.set, ...[...value].map((item, i) => this.#cell(item, `.values()[${i}]`))];
    if (types.isRegExp(value)) return [KIND.regexp, value.source, value.flags];
    if (types.isArrayBuffer(value) && !value.detached) return [KIND.buffer, Buffer.from(value).toString("base64")];
    if (ArrayBuffer.isView(value)) return this.#view(value);
    if (Error.isError(value)) return this.#error(value);
    if (types.isBoxedPrimitive(value) && !types.isSymbolObject(value)) return boxed(value.valueOf());
    // An instance of a class of one's own arrives as its properties, as with structured clone. One without any has what it is
    // elsewhere.
    if (!isExotic(value) && Object.keys(value).length > 0) return this.#object(value);
    throw this.#refuse("", describe(value));
  }

  #view(value: ArrayBufferView): Entry {
    const name = types.isDataView(value) ? "DataView" : (value as Uint8Array)[Symbol.toStringTag];
    // Only what the view shows: a small one may look into a large pool.
    const bytes = Buffer.from(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
    return [KIND.view, name, bytes.toString("base64")];
  }

  #error(error: Error): Entry {
    const entry: Entry = [KIND.error, classNameOf(error), text(error.name), text(error.message), text(error.stack)];
    for (const key of Object.getOwnPropertyNames(error)) {
      const property = Object.getOwnPropertyDescriptor(error, key);
      // A getter of one's own would run code of the user's here.
      if (key === "stack" || key === "message" || property === undefined || !("value" in property)) continue;
      if (this.#isSendable(property.value))
        entry.push(key, property.enumerable === true, this.#cell(property.value, stepTo(key)));
    }
    return entry;
  }

  /** Whether a property of an error can go with it; what cannot is left out, as the error matters more. */
  #isSendable(value: unknown): boolean {
    if (typeof value === "function" || typeof value === "symbol") return false;
    if (typeof value !== "object" || value === null || Error.isError(value)) return true;
    if (Array.isArray(value) && value.every((item) => Error.isError(item))) return true;
    const known = this.#sendable.get(value);
    if (known !== undefined) return known;
    // Whoever asks on the way has come round in a circle.
    this.#sendable.set(value, true);
    try {
      new Encoder("", this.#sendable).encode(value);
      return true;
    } catch {
      this.#sendable.set(value, false);
      return false;
    }
  }

  #refuse(step: string, what: string): ClusterError {
    let path = step;
    for (let at = this.#current; at !== -1;) {
      const { from, step: before } = this.#pending[at] as Pending;
      path = before + path;
      at = from;
    }
    const where = path.length > 200 ? `${path.slice(0, 100)} … ${path.slice(-100)}` : path;
    return new ClusterError(
      "MW_ERR_CLUSTER_NOT_SENDABLE",
      `Cannot send ${this.#at}${where} to another machine: it is ${what}; pass plain data`,
    );
  }
}

function isExotic(value: object): boolean {
  return (
    types.isProxy(value) ||
    types.isPromise(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value) ||
    types.isGeneratorObject(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isSymbolObject(value)
  );
}

function boxed(value: unknown): Entry {
  return [KIND.boxed, typeof value, Object.is(value, -0) ? "-0" : String(value)];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : inspect(value ?? "", { depth: 0 });
}

function stepTo(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function describe(value: object): string {
  if (types.isProxy(value)) return "a Proxy";
  if (types.isPromise(value)) return "a Promise";
  if (types.isSharedArrayBuffer(value)) return "memory that is shared within one process";
  if (types.isArrayBuffer(value)) return "an ArrayBuffer that was moved away";
  const name: unknown = value.constructor?.name;
  return typeof name === "string" && name !== "" ? `an instance of ${name}` : "an object that belongs to this process";
}
