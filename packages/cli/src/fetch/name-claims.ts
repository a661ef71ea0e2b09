// Which names of files belong to URLs of this run: what the run itself has written is not there to be replaced or skipped.

import { KeyTable, keyOf } from "./key-table.ts";

const FREE = 0;
const TAKEN = 1;

export class NameClaims {
  readonly #names = new KeyTable();

  /** Takes a name; false if it is taken already. */
  claim(name: string): boolean {
    const key = keyOf(name);
    if (this.#names.get(key) === TAKEN) return false;
    this.#names.set(key, TAKEN);
    return true;
  }

  /** Gives up a name under which nothing was written. */
  release(name: string): void {
    this.#names.set(keyOf(name), FREE);
  }
}
