// The clients that the servers of the rows about WebSocket are measured with: ten of ws, one message under way on each.
// `websocket-load.ts URL BYTES` prints "warm" when the warm-up is over, then the figures, and ends with its input.

import { once } from "node:events";

import { WebSocket } from "ws";

import { LONG } from "./measuring.ts";
import { CONNECTIONS, payloadOf } from "./websocket.ts";

const [url = "", bytes] = process.argv.slice(2);
const size = Number(bytes);
const payload = payloadOf(size);

let echoes = 0;
const sockets = Array.from({ length: CONNECTIONS }, () => new WebSocket(url, { perMessageDeflate: false }));
await Promise.all(sockets.map((socket) => once(socket, "open")));
for (const socket of sockets) {
  socket.on("message", (data: Buffer) => {
    if (data.length !== size) throw new Error(`the echo has ${data.length} bytes`);
    echoes += 1;
    socket.send(payload);
  });
  socket.send(payload);
}
await new Promise((resolve) => setTimeout(resolve, LONG.warmUpMs));
console.log("warm");
echoes = 0;
const startedAt = performance.now();
await new Promise((resolve) => setTimeout(resolve, LONG.measuredMs));
console.log(JSON.stringify({ rate: (echoes * 1000) / (performance.now() - startedAt), echoes }));
process.stdin.resume();
await once(process.stdin, "end");
process.exit();
