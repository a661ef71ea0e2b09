// How a connection ends that could go on.

import type { Socket } from "node:net";

import { currentScopeNode, suspension, type WaitTarget } from "meanwhile/lowlevel";

import type { PgClient } from "./driver.ts";

/** How long a server may take to say goodbye. */
const CLOSE_MS = 1_000;
const CLOSING: WaitTarget = { describe: () => "the end of a connection to PostgreSQL", foreign: true };

// Taken at load time, so that test tools that replace the globals do not reach into the runtime.
const { setTimeout, clearTimeout } = globalThis;

/** Says goodbye and waits until the connection is closed, a second at most. Never throws, and is not interrupted. */
export async function sayGoodbye(client: PgClient, socket: Socket): Promise<void> {
  const { promise, waiter } = suspension<void>(currentScopeNode(), CLOSING);
  waiter.abort = () => "wait";
  socket.ref();
  const timer = setTimeout(() => socket.destroy(), CLOSE_MS);
  socket.once("close", () => waiter.wake());
  client.end(() => waiter.wake());
  await promise;
  clearTimeout(timer);
}
