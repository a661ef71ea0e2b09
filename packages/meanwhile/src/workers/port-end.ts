// Whether the thread at the other end of a port is gone, for code that cannot wait for an event.

import type { MessagePort } from "node:worker_threads";

// Elsewhere a port that is named twice is moved, and lost.
const isTold = process.versions["bun"] === undefined && process.versions["deno"] === undefined;

/**
 * Whether the other end of the port was closed, all messages of it having been received. Known only after a
 * `receiveMessageOnPort`, which takes the closing like a message.
 *
 * No function tells it. But a port that is closed is refused as something to transfer before anything is transferred, as is
 * one that is named twice; the text tells which of both it was. In doubt, and on other hosts than Node, it is there.
 */
export function isOtherEndGone(port: MessagePort): boolean {
  if (!isTold) return false;
  try {
    structuredClone(null, { transfer: [port as unknown as ArrayBuffer, port as unknown as ArrayBuffer] });
  } catch (error) {
    return error instanceof Error && /\bdetached\b/.test(error.message);
  }
  return false;
}
