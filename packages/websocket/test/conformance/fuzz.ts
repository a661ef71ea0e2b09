// Sends mutated frames to an endpoint that echoes, and holds it to what it promises: every message or close code is one that
// could be, what it sends is right to the last bit, and it is done with a connection soon after its end.

import assert from "node:assert/strict";

import { type Endpoint, theClient, theServer, type Wire } from "./echo.ts";
import { around } from "./mutations.ts";
import type { RawPeer } from "./raw-peer.ts";
import { CLOSE } from "./wire.ts";

const EXTENSIONS = "permessage-deflate";
const LONGEST_MS = 5_000;
const OPCODES = new Set([0, 1, 2, 8, 9, 10]);

export const ENDPOINTS: Readonly<Record<string, Endpoint>> = { server: theServer, client: theClient };

/** How connections ended, by code. */
export type Outcome = Map<number, number>;

/**
 * Sends so many mutated frames, from that seed on, each over a connection of its own with right ones around it. Gives how
 * the connections ended, by code, and the number of messages under `0`.
 */
export async function fuzz(endpoint: Endpoint, count: number, firstSeed = 1): Promise<Outcome> {
  const outcome: Outcome = new Map();
  for (let seed = firstSeed; seed < firstSeed + count; seed += 1) {
    await endpoint({ extensions: EXTENSIONS }, (wire) => attack(wire, seed, outcome));
  }
  return outcome;
}

async function attack({ peer, seen }: Wire, seed: number, outcome: Outcome): Promise<void> {
  const reading = readAll(peer, seed);
  for (const bytes of around(seed, peer.side)) peer.write(bytes);
  peer.socket.end();
  const timer = setTimeout(() => peer.socket.destroy(new Error(`seed ${seed} is stuck`)), LONGEST_MS);
  const startedAt = performance.now();
  const { closed, error, messages } = await seen;
  await reading;
  clearTimeout(timer);
  const where = `seed ${seed}`;
  assert.ok(performance.now() - startedAt < LONGEST_MS, `${where}: its program is done with it`);
  assert.ok(isDocumented(closed.code), `${where}: ${closed.code} is a code that a connection can have`);
  if (error !== null) assert.equal((error as { code?: unknown }).code, "MW_ERR_WS_CLOSED", where);
  for (const message of messages) {
    if (typeof message === "string") assert.ok(message.isWellFormed(), `${where}: a text is a text`);
  }
  outcome.set(0, (outcome.get(0) ?? 0) + messages.length);
  outcome.set(closed.code, (outcome.get(closed.code) ?? 0) + 1);
}

function isDocumented(code: number): boolean {
  return (code >= 1000 && code <= 1014 && code !== 1004) || (code >= 3000 && code <= 4999);
}

async function readAll(peer: RawPeer, seed: number): Promise<void> {
  for (let frame = await peer.next(); frame !== null; frame = await peer.next()) {
    const where = `seed ${seed}`;
    assert.ok(OPCODES.has(frame.opcode), `${where}: it sends opcode ${frame.opcode}`);
    assert.equal(frame.isMasked, peer.side === "server", where);
    if (frame.opcode < CLOSE) continue;
    assert.ok(frame.fin && frame.rsv === 0 && frame.payload.length <= 125, `${where}: its control frames are right`);
    if (frame.opcode === CLOSE && frame.payload.length > 0) {
      const code = frame.payload.readUInt16BE(0);
      assert.ok(isDocumented(code) && code !== 1005 && code !== 1006, `${where}: it sends code ${code}`);
    }
  }
}
