// The header fields of an answer, as undici parsed them: no copy is made for the ones nobody asks for.

import type { RawHeaders } from "./exchange-plan.ts";

/**
 * The header fields of an answer, with the reading half of the standard `Headers`. Names are lower case; several fields
 * of one name are joined with a comma, but for `Set-Cookie`.
 *
 * @see {@link https://fetch.spec.whatwg.org/#headers-class}
 */
export class ResponseHeaders implements Iterable<[string, string]> {
  readonly #raw: RawHeaders;

  /** @internal */
  constructor(raw: RawHeaders) {
    this.#raw = raw;
  }

  /** The value of a field; null if there is none. */
  get(name: string): string | null {
    const values = this.#valuesOf(name);
    return values === undefined ? null : joined(values);
  }

  /** Whether there is such a field. */
  has(name: string): boolean {
    return this.#valuesOf(name) !== undefined;
  }

  /** The values of all `Set-Cookie` fields, which must not be joined. */
  getSetCookie(): string[] {
    const values = this.#valuesOf("set-cookie") ?? [];
    return typeof values === "string" ? [values] : [...values];
  }

  /** Names and values in turn. */
  *entries(): IterableIterator<[string, string]> {
    for (const name of this.keys()) yield [name, this.get(name) ?? ""];
  }

  /** The names. */
  keys(): IterableIterator<string> {
    return Object.keys(this.#raw).values();
  }

  /** The values. */
  *values(): IterableIterator<string> {
    for (const [, value] of this.entries()) yield value;
  }

  /** Calls `callback` for each field. */
  forEach(callback: (value: string, name: string, headers: this) => void): void {
    for (const [name, value] of this.entries()) callback(value, name, this);
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  #valuesOf(name: string): string | string[] | undefined {
    const lower = name.toLowerCase();
    return Object.hasOwn(this.#raw, lower) ? this.#raw[lower] : undefined;
  }
}

function joined(values: string | string[]): string {
  return typeof values === "string" ? values : values.join(", ");
}
