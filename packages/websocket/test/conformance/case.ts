// What a case of conformance is: frames that are sent to an endpoint which echoes every message, and what comes of them.

import type { ConnectionOptions } from "../../src/connection-options.ts";
import { BINARY, CLOSE, closePayload, CONTINUATION, type Frame, PING, PONG, TEXT } from "./wire.ts";

/** A message as the program under test gets it. */
export type Message = string | Uint8Array;

/** How a connection ends. */
export interface Ending {
  /** As the program is told: 1005 is a close frame without a code, 1006 none at all. */
  readonly code: number;
  readonly reason?: string;
  readonly by: "us" | "peer" | "network";
  /** The code in the close frame that the endpoint sends, null for one without: default `code`. */
  readonly sends?: number | null;
}

export interface Case {
  /** What is shown, in the present tense, of an endpoint. */
  readonly name: string;
  readonly frames: readonly Frame[];
  /** What its program gets. Default: nothing. */
  readonly messages?: readonly Message[];
  /** The payloads of its pongs. Default: none. */
  readonly pongs?: ReadonlyArray<string | Buffer>;
  /** Default: the connection is well; it is closed by the test. */
  readonly ends?: Ending;
  /** Whether some of the echoes have to be compressed. Default: false. */
  readonly isCompressed?: boolean;
  /** What the tested endpoint is told when it starts. */
  readonly options?: Pick<ConnectionOptions, "compression" | "maxFragments" | "maxMessageBytes">;
  /** Extensions: what a raw client offers, and what a raw server answers. */
  readonly extensions?: string;
}

type Parts = Partial<Frame>;

/** A frame; `parts` makes it as wrong as wanted. */
export function frame(opcode: number, payload: string | Uint8Array = "", parts: Parts = {}): Frame {
  return { opcode, payload: Buffer.from(payload), fin: true, rsv: 0, ...parts };
}

export const text = (payload: string | Uint8Array = "", parts: Parts = {}): Frame => frame(TEXT, payload, parts);
export const binary = (payload: string | Uint8Array = "", parts: Parts = {}): Frame => frame(BINARY, payload, parts);
export const ping = (payload: string | Uint8Array = "", parts: Parts = {}): Frame => frame(PING, payload, parts);
export const pong = (payload: string | Uint8Array = "", parts: Parts = {}): Frame => frame(PONG, payload, parts);

/** A frame that goes on with a message; the last one unless `fin` is false. */
export const more = (payload: string | Uint8Array = "", parts: Parts = {}): Frame =>
  frame(CONTINUATION, payload, parts);

/** A close frame with a code. */
export const close = (code: number, reason: string | Buffer = ""): Frame => frame(CLOSE, closePayload(code, reason));

/** A frame that is not the last one of its message. */
export const OPEN: Parts = { fin: false };

/** A message in fragments. */
export function fragments(opcode: number, ...payloads: ReadonlyArray<string | Uint8Array>): Frame[] {
  return payloads.map((payload, index) =>
    frame(index === 0 ? opcode : CONTINUATION, payload, { fin: index === payloads.length - 1 }),
  );
}

/** The endpoint ends the connection because of what it was sent. */
export const fails = (code: number): { readonly ends: Ending } => ({ ends: { code, by: "us" } });

/** The other side ends it, and the endpoint answers with the same code. */
export const closedBy = (code: number, reason = ""): { readonly ends: Ending } => ({
  ends: { code, reason, by: "peer" },
});
