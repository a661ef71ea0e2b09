// Messages that are JSON.

import { WebSocketError } from "./errors.ts";
import type { Message } from "./message.ts";

const decoder = new TextDecoder();

/** The JSON of a value. */
export function toJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new WebSocketError("MW_ERR_WS_MESSAGE", "Cannot send as JSON: the value has no JSON, see the cause", {
      cause,
    });
  }
  if (text !== undefined) return text;
  const what = value === undefined ? "undefined" : `a ${typeof value}`;
  throw new WebSocketError(
    "MW_ERR_WS_MESSAGE",
    `Cannot send as JSON: there is no JSON for ${what}; pass null for nothing`,
  );
}

/** The value of a message. What it says is not shown in the error: it may be secret. */
export function parseJson(message: Message): unknown {
  try {
    return JSON.parse(typeof message === "string" ? message : decoder.decode(message));
  } catch {
    const what = typeof message === "string" ? `a text of ${message.length} characters` : `${message.length} bytes`;
    throw new WebSocketError(
      "MW_ERR_WS_MESSAGE",
      `Cannot receive as JSON: the message is ${what} that are no JSON; use recv() for messages that may be anything`,
    );
  }
}
