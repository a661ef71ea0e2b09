// Run by backpressure.test.ts: `backpressure-program.ts client|server sends|receives BYTES deflate|off [PORT]`.
// Moves so many bytes over one connection, and prints by how much the process has grown meanwhile. A server prints its port
// first. A receiver is slow itself.

import { readFileSync } from "node:fs";

import { run, sleep } from "meanwhile";

import { connect } from "../../src/connect.ts";
import type { Connection } from "../../src/connection.ts";
import { serve } from "../../src/serve.ts";
import {
  LOOK_EVERY_BYTES,
  MESSAGE,
  MESSAGE_BYTES,
  PAUSE_EVERY_BYTES,
  PAUSE_MS,
  WARM_UP_BYTES,
} from "./backpressure.ts";

const [role, direction, bytesText, compressionText, port] = process.argv.slice(2);
const bytes = Number(bytesText);
const compression = compressionText === "deflate" ? "deflate" : "off";

/** Memory in RAM that is the process's own, when what nobody needs any more is gone. */
function keptMb(): number {
  globalThis.gc?.();
  const line = /^RssAnon:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return line === undefined ? process.memoryUsage.rss() / 2 ** 20 : Number(line) / 1024;
}

async function use(socket: Connection): Promise<void> {
  let warmMb = 0;
  let peakMb = 0;
  let moved = 0;
  const count = (): void => {
    moved += MESSAGE_BYTES;
    if (moved % LOOK_EVERY_BYTES > 0) return;
    if (moved <= WARM_UP_BYTES) warmMb = Math.max(warmMb, keptMb());
    else peakMb = Math.max(peakMb, keptMb());
  };
  await (direction === "sends" ? send(socket, count) : receive(socket, count));
  process.stdout.write(`${JSON.stringify({ moved, warmMb, grownMb: peakMb - warmMb })}\n`);
}

async function send(socket: Connection, count: () => void): Promise<void> {
  for (let turn = 0; turn < bytes / MESSAGE_BYTES; turn += 1) {
    await socket.send(MESSAGE.slice());
    count();
  }
  await socket.recv(); // the other side has it all
}

async function receive(socket: Connection, count: () => void): Promise<void> {
  let since = 0;
  for (let left = bytes; left > 0; left -= MESSAGE_BYTES) {
    const message = await socket.recv();
    if (message.length !== MESSAGE_BYTES) throw new Error(`a message of ${message.length}`);
    count();
    since += MESSAGE_BYTES;
    if (since < PAUSE_EVERY_BYTES) continue;
    since = 0;
    await sleep(PAUSE_MS);
  }
  await socket.send("all of it");
}

await run(async () => {
  if (role === "client") {
    await using socket = await connect(`ws://127.0.0.1:${port}/`, { compression });
    await use(socket);
    return;
  }
  const done = Promise.withResolvers<void>();
  await using server = await serve((socket) => use(socket).then(done.resolve, done.reject), { compression });
  process.stdout.write(`${server.port}\n`);
  await done.promise;
});
