// Records on their way, put together to one message. Used on both sides.

import { describeNotCloneable } from "./cloneable.ts";
import { mustMove } from "./moved.ts";
import { type MessageRecord, splitRecords } from "./wire.ts";

/** Sends one message; throws, having sent nothing, if something in it cannot be cloned. */
export type Post = (message: unknown[], transfer: object[]) => void;

/** A record that was not sent. */
export interface Refusal {
  readonly record: MessageRecord;
  /** Where in a value of the record what cannot be cloned lies, and what it is. */
  readonly describe: (value: unknown, at: string) => string | null;
  /** What the clone said. */
  readonly error: unknown;
}

/** What is to be sent, until it is flushed. */
export class Outbox {
  /** Records, one after the other; see wire.ts. */
  records: unknown[] = [];
  #transfer: object[] = [];
  readonly #post: Post;
  readonly #refused: (refusal: Refusal) => void;

  /** @param refused - told of each record that cannot be sent */
  constructor(post: Post, refused: (refusal: Refusal) => void) {
    this.#post = post;
    this.#refused = refused;
  }

  /** Notes what is moved with the records that were added. */
  move(transfer: readonly object[]): void {
    for (const object of transfer) this.#transfer.push(object);
  }

  /** Sends everything in one message; what cannot be sent is told of, and does not keep the rest. */
  flush(): void {
    const records = this.records;
    const transfer = this.#transfer;
    if (records.length === 0) return;
    this.records = [];
    if (transfer.length > 0) this.#transfer = [];
    try {
      this.#post(records, transfer);
    } catch {
      const chosen = new Set(transfer);
      for (const record of splitRecords(records)) this.#postAlone(record, chosen);
    }
  }

  // It may hold what must be moved though nobody said so, like a MessagePort.
  #postAlone(record: MessageRecord, chosen: ReadonlySet<object>): void {
    const moved = mustMove(record, chosen);
    try {
      this.#post([...record], moved);
    } catch (error) {
      const describe = (value: unknown, at: string): string | null => describeNotCloneable(value, at, moved);
      this.#refused({ record, describe, error });
    }
  }
}
