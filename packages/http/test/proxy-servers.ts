// Small proxies on 127.0.0.1 for the tests. They note what they are asked for.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

import { ConnectError } from "@meanwhile/http";

import { SERVER } from "./certificates.ts";

/** A running proxy; disposing it closes its connections too. */
export interface TestProxy extends AsyncDisposable {
  readonly port: number;
  /** What it was asked for: heads for HTTP, `host:port` for SOCKS. */
  readonly asked: string[];
  readonly sockets: Socket[];
  /** Resolves when none of its connections is open. */
  allClosed(): Promise<void>;
}

/** How a proxy behaves. */
export interface ProxyBehaviour {
  /** Over TLS. */
  readonly isSecure?: boolean;
  /** What it answers instead of doing its work; "" for nothing at all. */
  readonly answer?: string | Buffer;
  /** Called at each step of a handshake. */
  readonly onStep?: (step: number, socket: Socket) => void;
  /** The last step of the handshake that it does; it is silent from there on. */
  readonly lastStep?: number;
  /** SOCKS: what user name and password must be. */
  readonly credentials?: readonly [string, string];
}

type Talk = (socket: Socket, proxy: TestProxy) => void;

/** An HTTP proxy: tunnels by CONNECT, and requests with a whole URL passed on. */
export function serveHttpProxy(behaviour: ProxyBehaviour = {}): Promise<TestProxy> {
  return started(behaviour, (socket, { asked }) => {
    let seen = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk]);
      const end = seen.indexOf("\r\n\r\n");
      if (end === -1) return;
      socket.off("data", onData);
      const head = seen.toString("latin1", 0, end);
      asked.push(head);
      behaviour.onStep?.(1, socket);
      if (behaviour.answer !== undefined) return void socket.write(behaviour.answer);
      const [method = "", target = ""] = head.split(" ");
      if (method === "CONNECT") {
        const at = target.lastIndexOf(":");
        pipe(socket, connect(Number(target.slice(at + 1)), "127.0.0.1"), "HTTP/1.1 200 Connected\r\nVia: test\r\n\r\n");
        return;
      }
      const url = new URL(target);
      const upstream = connect(Number(url.port), "127.0.0.1");
      // One request for each connection: what follows would have to be parsed.
      const own = head.replace(target, url.pathname).replace(/\r\nconnection: [^\r]*/i, "");
      upstream.write(`${own}\r\nConnection: close\r\n\r\n`);
      upstream.write(seen.subarray(end + 4));
      pipe(socket, upstream, "");
    };
    socket.on("data", onData);
  });
}

/** A SOCKS proxy, of version 5 or 4 as it is asked. Every name is 127.0.0.1 to it. */
export function serveSocksProxy(behaviour: ProxyBehaviour = {}): Promise<TestProxy> {
  return started(behaviour, (socket, { asked }) => {
    let step = 0;
    let seen = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk]);
      const [answer, target] = socksAnswer(step, seen, behaviour);
      if (answer === null) return;
      seen = Buffer.alloc(0);
      step += 1;
      behaviour.onStep?.(step, socket);
      if (step > (behaviour.lastStep ?? Infinity)) return;
      if (target === null) return void socket.write(answer);
      asked.push(target);
      socket.off("data", onData);
      if (behaviour.answer !== undefined) return void socket.write(behaviour.answer);
      pipe(socket, connect(Number(target.slice(target.lastIndexOf(":") + 1)), "127.0.0.1"), answer);
    };
    socket.on("data", onData);
  });
}

type SocksAnswer = [answer: Buffer | null, target: string | null];

function socksAnswer(step: number, seen: Buffer, { credentials }: ProxyBehaviour): SocksAnswer {
  if (seen[0] === 4) return socks4Answer(seen);
  if (step === 0) return [Buffer.from([5, credentials === undefined ? 0 : 2]), null];
  if (step === 1 && credentials !== undefined) {
    const user = seen.toString("utf8", 2, 2 + (seen[1] ?? 0));
    const password = seen.toString("utf8", 3 + (seen[1] ?? 0));
    return [Buffer.from([1, user === credentials[0] && password === credentials[1] ? 0 : 1]), null];
  }
  const isName = seen[3] === 3;
  const length = isName ? (seen[4] ?? 0) + 1 : 4;
  const address = seen.subarray(4, 4 + length);
  const host = isName ? address.toString("latin1", 1) : address.join(".");
  return [Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 1]), `${host}:${seen.readUInt16BE(4 + length)}`];
}

function socks4Answer(seen: Buffer): SocksAnswer {
  const texts = seen.toString("latin1", 8).split("\0");
  const isName = seen[4] === 0 && seen[5] === 0 && seen[6] === 0;
  const host = isName ? texts[1] : seen.subarray(4, 8).join(".");
  return [Buffer.from([0, 90, 0, 1, 127, 0, 0, 1]), `${host}:${seen.readUInt16BE(2)}`];
}

function pipe(socket: Socket, upstream: Socket, greeting: string | Buffer): void {
  upstream.on("error", () => socket.destroy());
  upstream.on("close", () => socket.destroy());
  socket.on("close", () => upstream.destroy());
  if (greeting.length > 0) socket.write(greeting);
  socket.pipe(upstream);
  upstream.pipe(socket);
}

async function started({ isSecure = false }: ProxyBehaviour, talk: Talk): Promise<TestProxy> {
  const sockets: Socket[] = [];
  const asked: string[] = [];
  const begin = (socket: Socket): void => {
    sockets.push(socket);
    socket.on("error", () => {});
    talk(socket, proxy);
  };
  const server: Server = isSecure ? createTlsServer(SERVER, begin) : createServer(begin);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const proxy: TestProxy = {
    port,
    asked,
    sockets,
    async allClosed() {
      const alive = sockets.filter((socket) => !socket.closed);
      await Promise.all(alive.map((socket) => new Promise((resolve) => socket.once("close", resolve))));
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}

/** The error of a call that must fail because there is no connection. */
export async function failureOf(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ConnectError, String(error));
    return error;
  }
  return assert.fail("did not fail");
}
