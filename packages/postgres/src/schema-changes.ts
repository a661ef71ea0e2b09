// Whether what is known of prepared statements may be out of date: the types of their parameters and columns are those of the
// tables they found when they were prepared. The server keeps to the types of the parameters, whatever the tables are now, and
// says nothing: a text that was encoded for a column of type jsonb would be stored, quotes and all, in one of type text.
//
//   settled ──DDL, search_path──▶ pending ──end of the transaction──▶ settled      what was prepared before either is forgotten
//
// What another connection of this process has changed counts when it is committed. Temporary tables are one's own.

import { RESET_SQL } from "./session-state.ts";
import type { StatementCache } from "./statement-cache.ts";

const BY_TAG = /^(?:CREATE|ALTER|DROP|DISCARD TEMP|IMPORT FOREIGN SCHEMA|COMMIT PREPARED)/;
/** What a block has in its text. */
const IN_BLOCK = /\b(?:create|alter|drop|execute|search_path)\b/i;
/** What has the tag of a query, or of SET. */
const BY_TEXT = /\b(?:search_path|set\s+(?:local\s+|session\s+)?schema|create\s)|(?<!\b(?:insert|merge)\s+)\binto\s/i;
const TEMPORARY = /\b(?:temp|temporary|pg_temp\w*)\b/i;

/** Texts are remembered: programs have few, and use them again and again. */
const MOST_REMEMBERED = 1_000;
const remembered = new Map<string, boolean>();

// How often something was committed that changes tables or types, on any connection of this process.
let committed = 0;

/** How often it was: a statement prepared before the last time may be out of date. */
export function schemaChanges(): number {
  return committed;
}

/** Whether a command may have changed what a name in a statement means: by its tag, and the text it was in. */
export function changesSchema(tag: string, text: string): boolean {
  // Nearly all of what runs has one of these.
  if (tag.startsWith("INSERT") || tag.startsWith("UPDATE") || tag.startsWith("DELETE")) return false;
  if (tag === "DO") return IN_BLOCK.test(text);
  // Undoes what has been seen, if anything has.
  if (text.startsWith(RESET_SQL)) return false;
  if (!tag.startsWith("SELECT") && !tag.startsWith("SET") && !tag.startsWith("RESET")) return BY_TAG.test(tag);
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const answer = BY_TEXT.test(text);
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  remembered.set(text, answer);
  return answer;
}

/** What one connection has changed. */
export class SchemaWatch {
  readonly #statements: StatementCache;
  /** Whether the end of the transaction will change it once more. */
  isPending = false;
  // Whether others will see it then.
  #isShared = false;
  // Whether there is something that the pool undoes.
  #isDisturbed = false;

  constructor(statements: StatementCache) {
    this.#statements = statements;
  }

  /** A command was done for which {@link changesSchema} holds. */
  changed(tag: string, text: string): void {
    this.#statements.dropAll();
    this.isPending = true;
    this.#isDisturbed = true;
    if (!tag.startsWith("S") && !tag.startsWith("RESET") && tag !== "DISCARD TEMP" && !TEMPORARY.test(text))
      this.#isShared = true;
  }

  /** It was rolled back to a savepoint. */
  rolledBack(): void {
    if (this.isPending) this.#statements.dropAll();
  }

  /** The pool undoes what was changed of the session. */
  reset(): void {
    if (this.#isDisturbed) this.#statements.dropAll();
    this.#isDisturbed = false;
  }

  /** No transaction is open any more, or another one is. */
  settle(): void {
    if (!this.isPending) return;
    this.#statements.dropAll();
    if (this.#isShared) committed += 1;
    this.isPending = false;
    this.#isShared = false;
  }
}
