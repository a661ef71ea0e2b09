// Asks a server for a connection byte by byte, as no client would, and reads what it answers.

import { connect, type Socket } from "node:net";

/** What a server has answered. */
export interface RawAnswer {
  readonly status: number;
  /** The head, without the status line, names in small letters. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** What is asked. */
export interface RawRequest {
  readonly path?: string;
  readonly method?: string;
  /** Beside those of a handshake, or in place of them; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** A handshake as it should be, but for what is given. */
export function requestOf({ path = "/", method = "GET", headers = {} }: RawRequest = {}): string {
  const all: Record<string, string | undefined> = {
    Host: "127.0.0.1",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]));
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** Sends a request and reads the answer; of one that opens a connection only the head. The socket is closed then. */
export async function ask(port: number | undefined, request?: RawRequest): Promise<RawAnswer> {
  const socket = connect(port ?? 0, "127.0.0.1");
  try {
    socket.write(requestOf(request));
    return parse(await readAnswer(socket));
  } finally {
    socket.destroy();
  }
}

/** Resolves with what came until the head ended, if it opens a connection, or else until the socket ended. */
export function readAnswer(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (text.startsWith("HTTP/1.1 101") && text.includes("\r\n\r\n")) resolve(text);
    });
    socket.once("end", () => resolve(text));
    socket.once("error", reject);
  });
}

function parse(text: string): RawAnswer {
  const [head = "", body = ""] = text.split("\r\n\r\n", 2);
  const [first = "", ...lines] = head.split("\r\n");
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  return { status: Number(first.split(" ")[1]), headers, body };
}
