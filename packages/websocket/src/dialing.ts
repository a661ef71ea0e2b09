// One connection that is being made: over once, by the first who says so.

import type { Socket } from "node:net";

import type { Waiter } from "meanwhile/lowlevel";

import { DialFailure, unreachable } from "./dial-failure.ts";

/** A socket that takes part, and what of it is listened to. */
interface Part {
  readonly socket: Socket;
  readonly onError: (error: Error) => void;
  readonly onEnd: () => void;
}

export class Dialing {
  readonly #waiter: Waiter<Socket>;
  readonly #makeError: (failure: DialFailure) => Error;
  // What is to be destroyed if it fails: the socket, and what lies above it.
  readonly #parts: Part[] = [];
  isOver = false;

  constructor(waiter: Waiter<Socket>, makeError: (failure: DialFailure) => Error) {
    this.#waiter = waiter;
    this.#makeError = makeError;
  }

  /** Lets a socket take part. `explain` says what its errors mean, and `hungUp` what its end does. */
  own(socket: Socket, explain: (error: Error) => DialFailure, hungUp: () => DialFailure): void {
    const onError = (error: Error): void => this.fail(explain(error));
    const onEnd = (): void => this.fail(hungUp());
    this.#parts.push({ socket, onError, onEnd });
    // Stays: an error that comes between two listeners would end the process.
    socket.on("error", nothing);
    socket.on("error", onError);
    socket.on("end", onEnd);
  }

  succeed(socket: Socket): void {
    if (this.isOver) return;
    this.isOver = true;
    if (!this.#waiter.wake(socket)) return this.#destroy();
    // A connection may last: nothing of how it was made is kept.
    for (const part of this.#parts) {
      part.socket.off("error", part.onError);
      part.socket.off("end", part.onEnd);
    }
  }

  fail(error: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#destroy();
    const failure = error instanceof DialFailure ? error : unreachable(error);
    this.#waiter.failWith(() => this.#makeError(failure));
  }

  /** Nobody waits any more. */
  giveUp(): void {
    this.isOver = true;
    this.#destroy();
  }

  #destroy(): void {
    for (const { socket } of this.#parts) socket.destroy();
  }
}

function nothing(): void {}
