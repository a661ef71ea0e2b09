// What a server answers that does not open a connection.

import type { IncomingMessage } from "node:http";

import type { RefusingAnswer } from "./errors.ts";

const MOST_BODY_BYTES = 4_096;
/** How long the start of a body is waited for. */
const PATIENCE_MS = 500;

const { setTimeout, clearTimeout } = globalThis;

/** Reads the start of the body, and calls `then` once with all of it. */
export function readAnswer(response: IncomingMessage, then: (answer: RefusingAnswer) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  let isDone = false;
  const finish = (): void => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    const body = Buffer.concat(chunks).subarray(0, MOST_BODY_BYTES).toString();
    const { statusCode = 0, statusMessage = "", headers } = response;
    then({ status: statusCode, statusText: statusMessage, headers, body });
  };
  const timer = setTimeout(finish, PATIENCE_MS);
  response.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= MOST_BODY_BYTES) finish();
  });
  for (const event of ["end", "error", "close"] as const) response.on(event, finish);
}
