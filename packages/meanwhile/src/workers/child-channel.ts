// How a child talks to its pool. What has not left the process when it ends goes into the file of its ledger, which takes it at
// once: a channel would need the event loop, which turns no more. Messages are numbered, so that none is read twice.

import { serialize } from "node:v8";

import type { FileLedger } from "./file-ledger.ts";
import { refuseForeign } from "./foreign-values.ts";
import { ENVELOPE, type NumberedMessage } from "./wire.ts";

type Send = (message: unknown, sent: (error: Error | null) => void) => void;

/** The child's end of the channel. */
export class ChildChannel {
  readonly #send: Send;
  readonly #ledger: FileLedger;
  // Those of which nobody knows yet that they have left.
  readonly #waiting = new Map<number, unknown[]>();
  #count = 0;

  constructor(ledger: FileLedger) {
    this.#send = process.send?.bind(process) as Send;
    this.#ledger = ledger;
  }

  /** Sends a message; throws, having sent nothing, if something in it cannot be cloned. */
  post(message: unknown[]): void {
    refuseForeign(message);
    const number = ++this.#count;
    this.#send([ENVELOPE, number, message], (error) => {
      if (error === null) this.#waiting.delete(number);
    });
    this.#waiting.set(number, message);
  }

  /** To be called at the very end. */
  leave(): void {
    if (this.#waiting.size === 0) return;
    const left: NumberedMessage[] = [...this.#waiting];
    this.#ledger.leave(serialize(left));
  }
}
