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
  readonly #sentAlone: (record: MessageRecord, hasMoved: boolean) => void;
  #count = 0;

  /**
   * @param refused - told of each record that cannot be sent
   * @param sentAlone - told of each record that is sent in a message of its own after all, before it is; and whether
   * something is moved with it that nobody had named
   */
  constructor(
    post: Post,
    refused: (refusal: Refusal) => void,
    sentAlone: (record: MessageRecord, hasMoved: boolean) => void,
  ) {
    this.#post = post;
    this.#refused = refused;
    this.#sentAlone = sentAlone;
  }

  /** The number of the next message; the first is 1. */
  get next(): number {
    return this.#count + 1;
  }

  /**
   * To be called before a record with these values is added. One with objects goes into a message apart from other jobs: within
   * one the clone keeps what is the same object the same, which would make them share it; and if it cannot be read over there
   * the whole message is lost.
   */
  keepApart(values: readonly unknown[]): void {
    const hasObject = values.some((value) => typeof value === "object" && value !== null);
    if (this.#hasObject || (hasObject && this.records.length > 0)) this.flush();
    this.#hasObject = hasObject;
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
      this.#count += 1;
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
      this.#sentAlone(record, moved.length > 0);
      this.#post([...record], moved);
      this.#count += 1;
    } catch (error) {
      this.#refused({ record, describe: (value, at) => describeRefusal(value, at, moved, error), error });
    }
  }
}
