// How a child talks to its pool. What has not left the process when it ends goes into the file of its ledger, which takes it at
// once: a channel would need the event loop, which turns no more. Messages are numbered, so that none is read twice.

import type { FileLedger } from "./file-ledger.ts";
import type { Inbox } from "./port-reader.ts";
import { readMessage, readValue, writeData, writeValue } from "./process-values.ts";
import { ENVELOPE, type Parcel } from "./wire.ts";

type Send = (message: unknown, sent: (error: Error | null) => void) => void;

/** The child's end of the channel. */
export class ChildChannel {
  readonly #send: Send;
  readonly #ledger: FileLedger;
  // Those of which nobody knows yet that they have left.
  readonly #waiting = new Map<number, Parcel>();
  #sent = 0;
  #received = 0;

  constructor(ledger: FileLedger) {
    this.#send = process.send?.bind(process) as Send;
    this.#ledger = ledger;
  }

  /** Sends a message; throws, having sent nothing, if something in it cannot be cloned. */
  post(message: unknown[]): void {
    const slots = this.#ledger.takeCarried();
    const bytes = writeValue(message);
    const number = ++this.#sent;
    const parcel: Parcel = [number, slots, bytes];
    this.#waiting.set(number, parcel);
    this.#send([ENVELOPE, ...parcel], (error) => {
      if (error === null) this.#waiting.delete(number);
    });
  }

  /** The first that the pool sends. */
  first(): Promise<unknown> {
    return new Promise((resolve) => {
      process.once("message", (bytes: Uint8Array) => resolve(readValue(bytes)));
    });
  }

  /** Hands on what the pool sends. */
  listen(inbox: Inbox): void {
    process.on("message", ([slots, bytes]: readonly [readonly number[], Uint8Array]) => {
      const number = ++this.#received;
      const message = readMessage(bytes);
      if (message !== null) inbox.receive(message);
      else {
        this.#ledger.noteUnreadable(slots, number);
        inbox.unreadable(number);
      }
    });
  }

  /** To be called at the very end. */
  leave(): void {
    if (this.#waiting.size === 0) return;
    this.#ledger.leave(writeData([...this.#waiting.values()]));
  }
}
