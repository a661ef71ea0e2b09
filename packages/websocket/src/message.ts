// What is sent and received.

/** A message: a text, or bytes. What is received as bytes is a `Buffer`. */
export type Message = string | Uint8Array;

/** What can be sent: a whole message, or one piece by piece. All pieces are texts, or all are bytes. */
export type Sendable = Message | ArrayBuffer | AsyncIterable<Message> | Iterable<Message>;

/** Whether it is a message that is there as a whole. */
export function isWhole(value: unknown): value is Message | ArrayBuffer {
  return typeof value === "string" || value instanceof Uint8Array || value instanceof ArrayBuffer;
}

/** Whether it is one that comes piece by piece. */
export function isStream(value: unknown): value is AsyncIterable<Message> | Iterable<Message> {
  if (typeof value !== "object" || value === null) return false;
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}
