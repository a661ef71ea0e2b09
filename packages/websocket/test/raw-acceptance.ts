// The answer of a server that opens a connection and then does as it likes.

import { createHash } from "node:crypto";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The answer to the request in `head`. */
export function acceptance(head: Buffer, fields = ""): Buffer {
  const [, key = ""] = /sec-websocket-key: (.*)\r\n/i.exec(head.toString("latin1")) ?? [];
  const accept = createHash("sha1").update(`${key}${GUID}`).digest("base64");
  const lines = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${fields}`;
  return Buffer.from(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`);
}
