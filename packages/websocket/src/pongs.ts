// Answers the pings of the peer. One that pings faster than its pongs can leave gets the answer to the latest only, which
// answers those before as well: so a flood of pings costs nothing here, and ends no connection.
//
//   ping ──fewer than MOST_UNDERWAY pongs are underway──▶ pong ──written──▶ done
//     └──else: replaces the one that waits──▶ pong, when one of them is written
//
// See https://www.rfc-editor.org/rfc/rfc6455#section-5.5.3

import type { WebSocket } from "ws";

/** A short burst gets all of its answers, as peers expect that count them. */
const MOST_UNDERWAY = 16;

export class Pongs {
  readonly #socket: WebSocket;
  // Handed over, and not written yet.
  #underway = 0;
  // Invariant: null unless MOST_UNDERWAY are underway.
  #latest: Buffer | null = null;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** A ping has come. */
  answer(data: Buffer): void {
    // It is a part of what the socket has read, which it would keep in memory until it is written.
    const copy = Buffer.from(data);
    if (this.#underway >= MOST_UNDERWAY) this.#latest = copy;
    else this.#send(copy);
  }

  #send(data: Buffer): void {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return;
    this.#underway += 1;
    socket.pong(data, undefined, this.#onWritten);
  }

  // One that failed is the end of the connection, which says so itself.
  readonly #onWritten = (): void => {
    this.#underway -= 1;
    const latest = this.#latest;
    this.#latest = null;
    if (latest !== null) this.#send(latest);
  };
}
