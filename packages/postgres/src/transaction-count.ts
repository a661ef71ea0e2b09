// Whether the transaction of a connection is still the one it was: a `commit; begin` leaves the server in a transaction, too.

/** The tags of the commands that end one. */
export const ENDING_TAGS: ReadonlySet<string> = new Set(["COMMIT", "ROLLBACK", "PREPARE TRANSACTION"]);

/** The tag of this one is that of a whole rollback. */
const TO_SAVEPOINT = /\brollback\b[^;]*?\bto\b/i;

export class TransactionCount {
  /** How many have ended on the connection. */
  ended = 0;

  /** A command of {@link ENDING_TAGS} was done: its tag, and the text it was in. */
  told(tag: string, text: string): void {
    if (tag !== "ROLLBACK" || !TO_SAVEPOINT.test(text)) this.ended += 1;
  }
}
