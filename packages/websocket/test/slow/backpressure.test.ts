// 1 GB goes to a reader that is slow, over a connection that no buffer could hold: the sender becomes as slow as the reader,
// and neither side grows by more than 10 MB.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";

import { noteFigure } from "../../../../tools/figures.ts";
import { openRaw, type RawPeer, RawServer } from "../conformance/raw-peer.ts";
import { BINARY, encode, PING, TEXT } from "../conformance/wire.ts";
import { MESSAGE, MESSAGE_BYTES, PAUSE_EVERY_BYTES, PAUSE_MS, WARM_UP_BYTES } from "./backpressure.ts";

const SCALE = Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1);
const BYTES = WARM_UP_BYTES + Math.ceil((2 ** 30 * SCALE) / MESSAGE_BYTES) * MESSAGE_BYTES;
const MOST_GROWTH_MB = 10;
const PROGRAM = join(import.meta.dirname, "backpressure-program.ts");

type Role = "client" | "server";
type Direction = "sends" | "receives";

interface Report {
  readonly moved: number;
  readonly warmMb: number;
  readonly grownMb: number;
}

/** The program at one end, and the bare socket at the other. */
async function move(role: Role, direction: Direction, compression: string): Promise<Report> {
  await using raw = await RawServer.start();
  const args = ["--conditions=@meanwhile/source", "--expose-gc", PROGRAM, role, direction, String(BYTES), compression];
  const child = spawn(process.execPath, [...args, String(raw.port)], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => String((await lines.next()).value);
  using peer = role === "client" ? await raw.accept() : (await openRaw(Number(await nextLine()))).peer;
  await (direction === "sends" ? readSlowly(peer) : writeAll(peer));
  const report = JSON.parse(await nextLine()) as Report;
  peer.socket.destroy(); // it has not read all that a frame is made of, so it cannot take part in a closing handshake
  const [exitCode] = await exited;
  assert.equal(exitCode, 0);
  return report;
}

/** Bytes are enough: of what is in them the other tests tell. */
async function readSlowly(peer: RawPeer): Promise<void> {
  const { socket } = peer;
  const all = Promise.withResolvers<void>();
  let left = BYTES;
  let since = 0;
  socket.removeAllListeners("data");
  socket.on("data", (chunk) => {
    left -= chunk.length;
    if (left <= 0) all.resolve();
    since += chunk.length;
    if (since < PAUSE_EVERY_BYTES) return;
    since = 0;
    socket.pause();
    setTimeout(() => socket.resume(), PAUSE_MS);
  });
  socket.once("close", () => all.reject(new Error(`the program ended with ${left} bytes to come`)));
  await all.promise;
  socket.write(encode({ opcode: TEXT, payload: Buffer.from("all of it"), fin: true, rsv: 0 }, peer.side));
}

async function writeAll(peer: RawPeer): Promise<void> {
  const payload = Buffer.from(MESSAGE);
  const bytes = encode({ opcode: BINARY, payload, fin: true, rsv: 0 }, peer.side);
  for (let left = BYTES; left > 0; left -= MESSAGE_BYTES) {
    if (!peer.socket.write(bytes)) await once(peer.socket, "drain");
  }
  // It may take long enough for a ping to come before.
  let frame = await peer.next();
  while (frame?.opcode === PING) frame = await peer.next();
  assert.equal(frame?.payload.toString(), "all of it");
}

describe(`${Math.round((BYTES - WARM_UP_BYTES) / 2 ** 20)} MiB over one connection with a slow reader`, () => {
  for (const role of ["client", "server"] as const) {
    for (const direction of ["sends", "receives"] as const) {
      it(`leaves a ${role} that ${direction} them within ${MOST_GROWTH_MB} MB more`, async () => {
        const startedAt = performance.now();
        const { moved, warmMb, grownMb } = await move(role, direction, "off");
        noteFigure(`WebSocket: a slow reader, ${role} ${direction}`, {
          count: Math.round(moved / 2 ** 20),
          unit: "MiB",
          ms: performance.now() - startedAt,
          note: `${grownMb.toFixed(1)} MB more than ${warmMb.toFixed(0)}`,
        });
        assert.equal(moved, BYTES);
        assert.ok(grownMb <= MOST_GROWTH_MB, `it has grown by ${grownMb} MB`);
      });
    }
  }
});
