// What the numbers mean that a connection is closed with.

/** How a connection ended. */
export interface ClosedInfo {
  /**
   * The code of the close frame that came first, ours or the peer's; 1005 if it had none, and 1006 if there was no close
   * frame.
   *
   * @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-7.4}
   */
  readonly code: number;
  /** What was said with it; `""` if nothing was. */
  readonly reason: string;
  /** Who ended it: this side, the peer, or neither, when the network did. */
  readonly by: "us" | "peer" | "network";
  /** Whether both sides had sent a close frame: then nothing was lost on the way. */
  readonly wasClean: boolean;
}

/** What is written into a frame, in bytes. */
const LONGEST_REASON_BYTES = 123;

const MEANINGS: Readonly<Record<number, string>> = {
  1000: "normal closure",
  1001: "going away",
  1002: "protocol error",
  1003: "unsupported data",
  1005: "no code given",
  1006: "no close frame",
  1007: "invalid data in a message",
  1008: "policy violation",
  1009: "message too big",
  1010: "an extension is missing",
  1011: "internal error",
  1012: "service restart",
  1013: "try again later",
  1014: "bad gateway",
  1015: "TLS failure",
  3000: "unauthorized",
  3003: "forbidden",
  3008: "timeout",
};

/** Words for a code. */
export function meaningOf(code: number): string {
  if (Object.hasOwn(MEANINGS, code)) return MEANINGS[code] ?? "";
  if (code >= 3000 && code <= 3999) return "registered by a library";
  return code >= 4000 && code <= 4999 ? "meaning of the application" : "unknown";
}

/** Whether it is one that a close frame may hold. */
export function isCloseCode(code: unknown): code is number {
  if (typeof code !== "number" || !Number.isInteger(code)) return false;
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}

/** Whether it fits into a close frame. */
export function isCloseReason(reason: unknown): reason is string {
  return typeof reason === "string" && Buffer.byteLength(reason) <= LONGEST_REASON_BYTES;
}

/** A reason that fits into a close frame: cut where it is too long, between two characters. */
export function fittingReason(reason: string): string {
  let fitting = reason;
  while (Buffer.byteLength(fitting) > LONGEST_REASON_BYTES) fitting = Array.from(fitting).slice(0, -1).join("");
  return fitting;
}

/** Whether a loop over messages ends there without an error. */
export function isCleanEnd({ code, by }: ClosedInfo): boolean {
  return by !== "network" && (code === 1000 || code === 1001 || code === 1005);
}
