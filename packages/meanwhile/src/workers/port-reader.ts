// The messages of a port, counted, so that of one that cannot be read it is known at least which one it was.

import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";

/** Who takes the messages of the other side. */
export interface Inbox {
  receive(message: readonly unknown[]): void;
  /** The message with this number has come, and cannot be read. The first is 1. */
  unreadable(number: number): void;
}

const UNREADABLE = Symbol("unreadable");

/**
 * Reads a port, by its events or at once; the messages have one order in both.
 *
 * Invariant: the count is the number of the message handed on last, as its sender counts them.
 */
export class PortReader {
  readonly #port: MessagePort;
  #count = 0;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  /** Hands on each message as it comes. */
  listen(inbox: Inbox): void {
    this.#port.on("message", (message: unknown[]) => {
      this.#count += 1;
      inbox.receive(message);
    });
    // A thread has a larger stack than the main thread, so it can write what is nested too deep to be read.
    this.#port.on("messageerror", () => inbox.unreadable(++this.#count));
  }

  /** Hands on the messages that are there; false if there is none. */
  drain(inbox: Inbox): boolean {
    for (let hasRead = false; ; hasRead = true) {
      const next = this.#next();
      if (next === null) return hasRead;
      this.#count += 1;
      if (next === UNREADABLE) inbox.unreadable(this.#count);
      else inbox.receive(next);
    }
  }

  #next(): readonly unknown[] | typeof UNREADABLE | null {
    try {
      const next = receiveMessageOnPort(this.#port);
      return next === undefined ? null : (next.message as unknown[]);
    } catch (error) {
      // Deno has closed the port already.
      return error instanceof TypeError ? null : UNREADABLE;
    }
  }
}
