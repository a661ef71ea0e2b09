// Connections that have not asked for anything yet, or are about to end: what is bounded before there is a request.
//
//   came ──request──▶ known (the server counts it)
//     └──nothing comes in time, too many──▶ destroyed

import type { Server as HttpServer } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import { Admission, keyOf } from "./admission.ts";

/** What is known of one that has asked for nothing. */
interface Newcomer {
  readonly since: number;
  /** Of its address. */
  readonly key: string;
  readonly timer: ReturnType<typeof setTimeout> | undefined;
}

/** Node's longest timer. */
const LONGEST_MS = 2_147_483_647;

export class Lobby {
  readonly #openTimeoutMs: number;
  readonly #sockets = new Set<Socket>();
  readonly #newcomers = new Map<Duplex, Newcomer>();
  // Twice what the server lets in: those that it refuses must be able to read why. Who has not asked yet makes room.
  readonly #admission: Admission;

  constructor(openTimeoutMs: number, maxConnections: number, maxPerAddress: number) {
    this.#openTimeoutMs = openTimeoutMs;
    this.#admission = new Admission(maxConnections * 2, maxPerAddress * 2);
  }

  /** Watches a server of our own. */
  watch(server: HttpServer, isSecure: boolean): void {
    server.on("connection", (socket: Socket) => this.#came(socket, !isSecure));
    // TLS has a timeout of its own until here.
    if (isSecure) server.on("secureConnection", (socket: Socket) => this.#expect(socket));
  }

  /** It has asked. Returns how long that took, in milliseconds. */
  knows(socket: Duplex): number {
    const newcomer = this.#newcomers.get(socket);
    if (newcomer === undefined) return 0;
    clearTimeout(newcomer.timer);
    this.#newcomers.delete(socket);
    return performance.now() - newcomer.since;
  }

  /** Ends those that have not asked for anything. */
  clear(): void {
    for (const socket of this.#newcomers.keys()) socket.destroy();
  }

  /** Ends all. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #came(socket: Socket, isReady: boolean): void {
    const { remoteAddress } = socket;
    if (!this.#admit(remoteAddress)) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#admission.leave(remoteAddress);
    });
    if (isReady) this.#expect(socket);
  }

  /** Those that say nothing must not keep out others. */
  #admit(address: string | undefined): boolean {
    const crowd = this.#admission.enter(address);
    if (crowd === null) return true;
    for (const [socket, { key }] of this.#newcomers) {
      if (crowd === "address" && key !== keyOf(address)) continue;
      socket.destroy();
      // Now, and not when it is closed: the next one must not find it again.
      this.knows(socket);
      this.#admission.takePlace(address);
      return true;
    }
    return false;
  }

  #expect(socket: Socket): void {
    const ms = this.#openTimeoutMs;
    const timer = ms > LONGEST_MS ? undefined : setTimeout(() => socket.destroy(), ms).unref();
    this.#newcomers.set(socket, { since: performance.now(), key: keyOf(socket.remoteAddress), timer });
    socket.once("close", () => this.knows(socket));
  }
}
