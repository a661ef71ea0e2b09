// A proxy between a client and a server that does to the bytes what bad networks do. After Shopify's toxiproxy and the
// TCPFuzzingProxy of asyncpg's tests. Sleeps in steps of milliseconds, and ends at once when it is healed.

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** What happens to the bytes of every connection, open ones included. */
export type Toxic =
  /** Each piece comes later, by so many milliseconds. */
  | { readonly kind: "latency"; readonly delayMs: number }
  /** No more than so many bytes come in a millisecond. */
  | { readonly kind: "bandwidth"; readonly bytesPerMs: number }
  /** Pieces come in parts of so many bytes. */
  | { readonly kind: "slicer"; readonly bytes: number }
  /** Nothing comes any more, and nobody says so. */
  | { readonly kind: "black-hole" }
  /** The connection is reset after so many bytes. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** The server's side, or the client's, is closed after so many bytes; the other one stays open. */
  | { readonly kind: "half-close"; readonly afterBytes: number }
  /** The connection is closed in order after so many bytes, in the middle of whatever they are. */
  | { readonly kind: "limit"; readonly afterBytes: number }
  /** One byte is another one, after so many. */
  | { readonly kind: "corrupt"; readonly afterBytes: number }
  /** What asks the server to cancel a statement comes later, by so many milliseconds; everything else is as it should be. */
  | { readonly kind: "late-cancel"; readonly delayMs: () => number };

/** What the first message of a connection is that asks the server to cancel: its length, and a number nothing else has. */
const CANCEL_REQUEST = Buffer.from([0x04, 0xd2, 0x16, 0x2e]);

/** Which way a toxic works. */
export type Direction = "to-client" | "to-server" | "both";

/** A proxy on 127.0.0.1, to a server there: only TCP has resets. */
export class FaultProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #upstream: number;
  readonly #pairs = new Set<Pair>();
  #toxic: Toxic | null = null;
  #direction: Direction = "both";
  #isRefusing = false;
  port = 0;

  private constructor(upstream: number) {
    this.#upstream = upstream;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** To the server on that port. */
  static async start(upstream: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    const address = proxy.#server.address();
    proxy.port = typeof address === "object" && address !== null ? address.port : 0;
    return proxy;
  }

  /** From now on, for all connections. Bytes are counted from now on. */
  poison(toxic: Toxic, direction: Direction = "both"): void {
    this.#toxic = toxic;
    this.#direction = direction;
    for (const pair of this.#pairs) pair.poison(toxic, direction);
  }

  /** New connections end at once, as if nobody listened. */
  refuse(): void {
    this.#isRefusing = true;
  }

  /** How many connections go through it. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Everything passes again. What was held back is lost together with its connection, if it was to be for ever. */
  heal(): void {
    this.#toxic = null;
    this.#isRefusing = false;
    for (const pair of this.#pairs) pair.heal();
  }

  /** Resets every connection. */
  resetAll(): void {
    for (const pair of this.#pairs) pair.reset();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.resetAll();
    await once(this.#server, "close");
  }

  #accept(client: Socket): void {
    client.on("error", () => {});
    if (this.#isRefusing) return void client.resetAndDestroy();
    const server = connect(this.#upstream, "127.0.0.1");
    const pair = new Pair(client, server, () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
    if (this.#toxic !== null) pair.poison(this.#toxic, this.#direction);
  }
}

/** Both ways of one connection. */
class Pair {
  readonly #ways: ReadonlyArray<Way>;
  readonly #sockets: ReadonlyArray<Socket>;

  constructor(client: Socket, server: Socket, onEnd: () => void) {
    this.#sockets = [client, server];
    this.#ways = [new Way(client, server, "to-server", this), new Way(server, client, "to-client", this)];
    let open = 2;
    for (const socket of this.#sockets) {
      socket.setNoDelay(true).on("error", () => this.reset());
      socket.on("close", () => {
        open -= 1;
        if (open === 0) onEnd();
        else this.#closeOther(socket);
      });
    }
  }

  /** A side that is gone takes the other one with it, unless the network would not tell. */
  #closeOther(gone: Socket): void {
    if (this.#ways.some((way) => way.isSilent)) return;
    for (const socket of this.#sockets) if (socket !== gone) socket.destroySoon();
  }

  poison(toxic: Toxic, direction: Direction): void {
    for (const way of this.#ways) if (direction === "both" || direction === way.direction) way.poison(toxic);
  }

  heal(): void {
    for (const way of this.#ways) way.poison(null);
    const isHalf = this.#sockets.some((socket) => socket.destroyed);
    if (isHalf || this.#ways.some((way) => way.hasLost)) this.reset();
  }

  reset(): void {
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy();
  }
}

/** The bytes of one direction. */
class Way {
  readonly direction: Direction;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #pair: Pair;
  #toxic: Toxic | null = null;
  #count = 0;
  #cure = new AbortController();
  #isHolding = false;
  /** Whether bytes were swallowed: whatever comes after them would be out of order. */
  hasLost = false;

  constructor(from: Socket, to: Socket, direction: Direction, pair: Pair) {
    this.#from = from;
    this.#to = to;
    this.direction = direction;
    this.#pair = pair;
    this.#run().catch(() => pair.reset());
  }

  /** Whether the other side does not hear of an end of this one. */
  get isSilent(): boolean {
    return this.#toxic?.kind === "black-hole" || this.#isHolding;
  }

  poison(toxic: Toxic | null): void {
    this.#toxic = toxic;
    this.#count = 0;
    this.#cure.abort();
    this.#cure = new AbortController();
  }

  async #run(): Promise<void> {
    for await (const chunk of this.#from.iterator({ destroyOnReturn: false })) await this.#pass(chunk);
    if (this.#toxic?.kind !== "black-hole") this.#to.end();
  }

  async #pass(chunk: Buffer): Promise<void> {
    const toxic = this.#toxic;
    if (toxic === null) return this.#write(chunk);
    switch (toxic.kind) {
      case "latency":
        await this.#wait(toxic.delayMs);
        return this.#write(chunk);
      case "bandwidth":
        return this.#slowly(chunk, toxic.bytesPerMs, 1);
      case "slicer":
        return this.#slowly(chunk, toxic.bytes, 0);
      case "black-hole":
        this.hasLost = true;
        return;
      case "late-cancel":
        return chunk.subarray(4, 8).equals(CANCEL_REQUEST) ? this.#late(chunk, toxic.delayMs()) : this.#write(chunk);
      default:
        return this.#after(chunk, toxic);
    }
  }

  /** What was sent arrives, whether or not its sender is still there. */
  async #late(chunk: Buffer, delayMs: number): Promise<void> {
    this.#isHolding = true;
    await this.#wait(delayMs);
    this.#isHolding = false;
    await this.#write(chunk);
    if (this.#from.destroyed) this.#to.destroySoon();
  }

  /** In parts, with a pause behind each, until healed. */
  async #slowly(chunk: Buffer, size: number, pauseMs: number): Promise<void> {
    const toxic = this.#toxic;
    for (let at = 0; at < chunk.length && !this.#to.destroyed; at += size) {
      if (this.#toxic !== toxic) return this.#write(chunk.subarray(at));
      await this.#write(chunk.subarray(at, at + size));
      await this.#wait(pauseMs);
    }
  }

  /** What is to happen after a number of bytes, which lie somewhere in this piece or behind it. */
  async #after(chunk: Buffer, toxic: Extract<Toxic, { readonly afterBytes: number }>): Promise<void> {
    const left = toxic.afterBytes - this.#count;
    this.#count += chunk.length;
    if (left < 0 || left >= chunk.length) return this.#write(chunk);
    if (toxic.kind === "corrupt") {
      const changed = Buffer.from(chunk);
      changed[left] = (changed[left] ?? 0) ^ 0x55;
      return this.#write(changed);
    }
    await this.#write(chunk.subarray(0, left));
    if (toxic.kind === "reset") this.#pair.reset();
    else if (toxic.kind === "limit") {
      this.#from.destroySoon();
      this.#to.destroySoon();
    } else {
      this.hasLost = true;
      this.#to.end();
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    if (this.#to.destroyed || this.#to.writableEnded) return;
    if (!this.#to.write(bytes)) await Promise.race([once(this.#to, "drain"), once(this.#to, "close")]);
  }

  async #wait(ms: number): Promise<void> {
    await pause(ms, null, { signal: this.#cure.signal }).catch(() => {});
  }
}
