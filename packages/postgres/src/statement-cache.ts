// The statements that are prepared on a connection, so that each is parsed and described once.

import type { MessageWriter } from "./message-writer.ts";
import { schemaChanges } from "./schema-changes.ts";
import type { Statement } from "./statement.ts";

/** Longer ones are rarely the same twice, and the server keeps them in memory. */
const LONGEST = 16 * 1024;

let newest = 0;

export class StatementCache {
  readonly #capacity: number;
  readonly #hasNames: boolean;
  // The one used last comes last. Invariant: at most the capacity, held ones excluded, that are kept apart.
  readonly #statements = new Map<string, Statement>();
  // Names of statements the server has and nobody here: told to it with what is sent next.
  readonly #forgotten: string[] = [];
  // As of when what is known of the statements holds.
  #knownAt = schemaChanges();

  /**
   * @param capacity - 0 to prepare each statement anew
   * @param hasNames - false if nothing can be kept, not even for somebody who holds it
   */
  constructor(capacity: number, hasNames: boolean) {
    this.#capacity = hasNames ? capacity : 0;
    this.#hasNames = hasNames;
  }

  get size(): number {
    return this.#statements.size;
  }

  /** The statement for a text, if it is prepared. */
  get(text: string): Statement | undefined {
    if (this.#knownAt !== schemaChanges()) this.dropAll();
    const statement = this.#statements.get(text);
    if (statement !== undefined && this.#statements.size > this.#capacity / 2) {
      this.#statements.delete(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  /** A name to prepare a text under; empty if it is not to be kept. */
  nameFor(text: string, isToBeHeld: boolean): string {
    const isKept = isToBeHeld || (this.#capacity > 0 && text.length <= LONGEST);
    if (!this.#hasNames || !isKept) return "";
    newest += 1;
    return `mw${newest}`;
  }

  /** A statement that was prepared. The one that was not used for longest goes. */
  add(statement: Statement): void {
    if (this.#knownAt !== schemaChanges()) this.dropAll();
    if (statement.name === "" || this.#capacity === 0) return;
    this.#statements.set(statement.text, statement);
    if (this.#statements.size <= this.#capacity) return;
    for (const oldest of this.#statements.values()) {
      this.#statements.delete(oldest.text);
      if (oldest.holders === 0) this.#forgotten.push(oldest.name);
      return;
    }
  }

  /** The server does not know it any more, or not as we do. */
  drop(statement: Statement): void {
    if (this.#statements.get(statement.text) === statement) this.#statements.delete(statement.text);
    if (statement.name !== "" && statement.holders === 0) this.#forgotten.push(statement.name);
  }

  /** What is known of all of them may be out of date. Held ones stay with their holders. */
  dropAll(): void {
    this.#knownAt = schemaChanges();
    for (const { name, holders } of this.#statements.values()) if (holders === 0) this.#forgotten.push(name);
    this.#statements.clear();
  }

  /** Its holder needs it no more. It stays if it is in the cache. */
  letGo(statement: Statement): void {
    statement.holders -= 1;
    if (statement.holders > 0) return;
    if (this.#statements.get(statement.text) !== statement && statement.name !== "")
      this.#forgotten.push(statement.name);
  }

  /** Forgets everything, because the server was told to: DISCARD ALL, DEALLOCATE ALL. */
  clear(): void {
    this.#statements.clear();
    this.#forgotten.length = 0;
  }

  /** Puts before what is sent next that the server may forget what is forgotten here. */
  tellForgotten(writer: MessageWriter): void {
    if (this.#forgotten.length === 0) return;
    for (const name of this.#forgotten) writer.closeStatement(name);
    this.#forgotten.length = 0;
  }
}
