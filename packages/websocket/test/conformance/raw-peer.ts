// Clients and servers that speak bytes over sockets of node:net: the other side of what is tested.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

import { FrameReader, type ReceivedFrame, type Side } from "./wire.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** What a server answers to the key of a client. */
export function acceptOf(key: string): string {
  return createHash("sha1")
    .update(key + GUID)
    .digest("base64");
}

/** The lines of an HTTP head, with the empty one that ends it. */
export function head(...lines: ReadonlyArray<string | null>): string {
  return `${lines.filter((line) => line !== null).join("\r\n")}\r\n\r\n`;
}

/** The request of a client that does everything as it should. */
export function requestHead(options: { extensions?: string; path?: string; headers?: readonly string[] } = {}): string {
  const { extensions, path = "/", headers = [] } = options;
  return head(
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${KEY}`,
    "Sec-WebSocket-Version: 13",
    extensions === undefined ? null : `Sec-WebSocket-Extensions: ${extensions}`,
    ...headers,
  );
}

/** The answer of a server that takes a request as it should. */
export function responseHead(
  request: string,
  options: { extensions?: string; headers?: readonly string[] } = {},
): string {
  const { extensions, headers = [] } = options;
  return head(
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${acceptOf(headerOf(request, "sec-websocket-key") ?? "")}`,
    extensions === undefined ? null : `Sec-WebSocket-Extensions: ${extensions}`,
    ...headers,
  );
}

/** The value of a header in the text of a head; undefined if it is not there. */
export function headerOf(text: string, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*?)\\r?$`, "im").exec(text)?.[1];
}

/** One end of a connection, which knows nothing of WebSocket but how a frame is read. */
export class RawPeer implements Disposable {
  readonly socket: Socket;
  readonly side: Side;
  readonly #reader = new FrameReader();
  #unread: Buffer = Buffer.alloc(0);
  #hasEnded = false;
  #isFraming = false;
  #changed = Promise.withResolvers<void>();

  constructor(socket: Socket, side: Side) {
    this.socket = socket;
    this.side = side;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#end());
    socket.on("error", () => this.#end()); // a reset is an end as well
  }

  #take(chunk: Buffer): void {
    if (this.#isFraming) this.#reader.push(chunk);
    else this.#unread = Buffer.concat([this.#unread, chunk]);
    this.#change();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#change();
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Whether the other side has ended the connection. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Reads the head of a request or an answer. What comes after it are frames. All there is, if the other side ends it. */
  async readHead(): Promise<string> {
    for (;;) {
      const end = this.#unread.indexOf("\r\n\r\n");
      if (end !== -1) {
        this.#isFraming = true;
        this.#reader.push(this.#unread.subarray(end + 4));
        return this.#unread.toString("latin1", 0, end + 4);
      }
      if (this.#hasEnded) return this.#unread.toString("latin1");
      await this.#changed.promise;
    }
  }

  /** The next frame; null when the other side has ended the connection. */
  async next(): Promise<ReceivedFrame | null> {
    for (;;) {
      const frame = this.#reader.next();
      if (frame !== null) return frame;
      if (this.#hasEnded) return null;
      await this.#changed.promise;
    }
  }

  write(bytes: Buffer | string): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** Each byte a TCP segment of its own, as far as the system lets us. */
  async writeByteByByte(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length && this.socket.writable; at += 1) {
      this.socket.write(bytes.subarray(at, at + 1));
      await turn();
    }
  }

  /** When the other side has ended the connection. */
  async ended(): Promise<void> {
    while (!this.#hasEnded) await this.#changed.promise;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** Connects to a server without saying anything yet. */
export async function dial(port: number): Promise<RawPeer> {
  const socket = connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  return new RawPeer(socket, "client");
}

/** Connects to a server and opens a WebSocket. `extensions` are offered; the peer and the server's head are given. */
export async function openRaw(
  port: number,
  options: { extensions?: string; path?: string; headers?: readonly string[] } = {},
): Promise<{ peer: RawPeer; answer: string }> {
  const peer = await dial(port);
  peer.write(requestHead(options));
  const answer = await peer.readHead();
  assert.match(answer, /^HTTP\/1\.1 101 /, "the server takes the handshake");
  assert.equal(headerOf(answer, "sec-websocket-accept"), acceptOf(KEY));
  return { peer, answer };
}

/** A server that gives its connections away one by one. */
export class RawServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #all = new Set<RawPeer>();
  readonly #peers: RawPeer[] = [];
  readonly #waiting: PromiseWithResolvers<RawPeer>[] = [];

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const peer = new RawPeer(socket, "server");
      this.#all.add(peer);
      socket.once("close", () => this.#all.delete(peer));
      const next = this.#waiting.shift();
      if (next === undefined) this.#peers.push(peer);
      else next.resolve(peer);
    });
  }

  static async start(): Promise<RawServer> {
    const server = new RawServer();
    await once(server.#server.listen(0, "127.0.0.1"), "listening");
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    assert.ok(typeof address === "object" && address !== null);
    return address.port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/`;
  }

  /** The next connection, before anything was read. */
  async nextPeer(): Promise<RawPeer> {
    const peer = this.#peers.shift();
    if (peer !== undefined) return peer;
    const next = Promise.withResolvers<RawPeer>();
    this.#waiting.push(next);
    return next.promise;
  }

  /** The next connection, with its WebSocket open. `choose` gives the extensions for those that are offered. */
  async accept(choose: (offered: string) => string | undefined = () => undefined): Promise<RawPeer> {
    const peer = await this.nextPeer();
    const request = await peer.readHead();
    const extensions = choose(headerOf(request, "sec-websocket-extensions") ?? "");
    peer.write(responseHead(request, extensions === undefined ? {} : { extensions }));
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const peer of this.#all) peer[Symbol.dispose]();
    await closed;
  }
}
