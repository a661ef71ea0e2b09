// One message, sent piece by piece: each piece is a fragment, and an empty one ends the message.

import { WebSocketError } from "./errors.ts";
import type { Abandon, FrameOptions, FrameWriter } from "./frames.ts";
import type { Message } from "./message.ts";
import type { Pieces } from "./pieces.ts";

/**
 * Sends what the source gives, as it comes. True if that was a message, and false if the source was empty.
 *
 * Cancellation: ends the connection if a piece is out, as a message cannot be taken back.
 */
export async function sendPieces(
  pieces: Pieces<unknown>,
  writer: FrameWriter,
  compress: boolean,
  abandon: Abandon,
): Promise<boolean> {
  // Whether it is a text; null before the first piece.
  let isText: boolean | null = null;
  // The first half of a character whose second half comes with the next piece.
  let half = "";
  try {
    for (;;) {
      const { done, value } = await pieces.next();
      if (done === true) break;
      const data = checkPiece(value, isText);
      isText = typeof data === "string";
      const whole = typeof data === "string" ? half + data : data;
      half = typeof whole === "string" ? firstHalfIn(whole) : "";
      const ready = half === "" ? whole : whole.slice(0, -1);
      await writer.write(ready, ready.length, frameOf(isText, compress, false));
    }
    if (isText !== null) await writer.write(half, half.length, frameOf(isText, compress, true));
    return isText !== null;
  } catch (error) {
    if (isText !== null) abandon(1011, "a message was cut short");
    throw error;
  }
}

function frameOf(isText: boolean, compress: boolean, fin: boolean): FrameOptions {
  return { binary: !isText, compress, fin };
}

function checkPiece(piece: unknown, isText: boolean | null): Message {
  const isPieceText = typeof piece === "string";
  if (!isPieceText && !(piece instanceof Uint8Array)) {
    throw new WebSocketError(
      "MW_ERR_WS_MESSAGE",
      `Cannot send a message piece by piece: a piece is of the type ${piece === null ? "null" : typeof piece}; yield strings, or Uint8Arrays`,
    );
  }
  if (isText === null || isText === isPieceText) return piece;
  const [now, before] = isPieceText ? ["a text", "bytes"] : ["bytes", "text"];
  throw new WebSocketError(
    "MW_ERR_WS_MESSAGE",
    `Cannot send a message piece by piece: a piece is ${now}, and those before were ${before}; yield only one of them`,
  );
}

function firstHalfIn(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd8_00 && last <= 0xdb_ff ? text.slice(-1) : "";
}
