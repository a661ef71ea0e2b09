// Records on their way, put together to one message. Used on both sides.

import { describeRefusal } from "./foreign-values.ts";
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
  #hasObject = false;
  readonly #post: Post;
  readonly #refused: (refusal: Refusal) => void;
  readonly #movedWith: (record: MessageRecord) => void;

  /**
   * @param refused - told of each record that cannot be sent
   * @param movedWith - told of each record with which something was moved that nobody had named
   */
  constructor(post: Post, refused: (refusal: Refusal) => void, movedWith: (record: MessageRecord) => void = () => {}) {
    this.#post = post;
    this.#refused = refused;
    this.#movedWith = movedWith;
  }

  /**
   * To be called before a record with these values is added. At most one with objects goes into a message: within one the
   * clone keeps what is the same object the same, and jobs that have nothing to do with each other would share it.
   */
  keepApart(values: readonly unknown[]): void {
    if (!values.some((value) => typeof value === "object" && value !== null)) return;
    if (this.#hasObject) this.flush();
    this.#hasObject = true;
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
    this.#hasObject = false;
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
    let moved: object[] = [];
    try {
      moved = mustMove(record, chosen);
      this.#post([...record], moved);
    } catch (error) {
      this.#refused({ record, describe: (value, at) => describeRefusal(value, at, moved, error), error });
      return;
    }
    if (moved.length > 0) this.#movedWith(record);
  }
}
