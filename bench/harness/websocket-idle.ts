// Clients that do nothing, on bare sockets: `websocket-idle.ts URL COUNT` prints "open" when all are, and ends with its input.

import { once } from "node:events";
import { connect, type Socket } from "node:net";

const [url = "", countText] = process.argv.slice(2);
const count = Number(countText);
const port = Number(new URL(url).port);
const AT_ONCE = 50;
const REQUEST = [
  "GET / HTTP/1.1",
  `Host: 127.0.0.1:${port}`,
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version: 13",
  "",
  "",
].join("\r\n");

const sockets: Socket[] = [];

async function open(): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1" });
  sockets.push(socket);
  socket.write(REQUEST);
  const [answer] = await once(socket, "data");
  if (!String(answer).startsWith("HTTP/1.1 101")) throw new Error(`the server answers ${answer}`);
}

async function openSome(): Promise<void> {
  while (sockets.length < count) await open();
}

await Promise.all(Array.from({ length: AT_ONCE }, openSome));
await new Promise((resolve) => setTimeout(resolve, 500)); // the server may be behind
console.log("open");
process.stdin.resume();
await once(process.stdin, "end");
process.exit();
