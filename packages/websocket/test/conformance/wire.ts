// The bytes of RFC 6455, written by hand: frames that may be as wrong as a test wants, and a reader of frames.
// It shares nothing with what is tested.

/** Who sends a frame: a client masks its frames, a server does not. */
export type Side = "client" | "server";

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** RSV1, RSV2 and RSV3 as they stand in the first byte. */
export const RSV1 = 0x40;
export const RSV2 = 0x20;
export const RSV3 = 0x10;

/** A frame before it is bytes. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly fin: boolean;
  /** `RSV1 | RSV2 | RSV3`, 0 as a rule. */
  readonly rsv: number;
  /** How the length is written: in 7, 16 or 64 bits; the shortest that fits as a rule. */
  readonly lengthBits?: 7 | 16 | 64;
  /** The length that the frame claims to have, if it is not the one of its payload. */
  readonly claims?: bigint;
  /** Whether the mask is as its direction wants it. */
  readonly isMaskWrong?: boolean;
  /** Default: four bytes that are not 0. */
  readonly mask?: Buffer;
}

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** The bytes of a frame that `side` sends. */
export function encode(frame: Frame, side: Side): Buffer {
  const { opcode, payload, fin, rsv, isMaskWrong = false, mask = MASK } = frame;
  const isMasked = (side === "client") !== isMaskWrong;
  const first = Buffer.from([(fin ? 0x80 : 0) | rsv | opcode]);
  const length = lengthOf(frame, isMasked);
  return Buffer.concat(isMasked ? [first, length, mask, masked(payload, mask)] : [first, length, payload]);
}

function lengthOf({ payload, claims = BigInt(payload.length), lengthBits }: Frame, isMasked: boolean): Buffer {
  const bit = isMasked ? 0x80 : 0;
  const bits = lengthBits ?? shortest(claims);
  if (bits === 7) return Buffer.from([bit | Number(claims)]);
  if (bits === 16) {
    const length = Buffer.from([bit | 126, 0, 0]);
    length.writeUInt16BE(Number(claims), 1);
    return length;
  }
  const length = Buffer.alloc(9, bit | 127);
  length.writeBigUInt64BE(claims, 1);
  return length;
}

function shortest(length: bigint): 7 | 16 | 64 {
  if (length < 126n) return 7;
  return length < 65_536n ? 16 : 64;
}

/** Masks, and unmasks. */
function masked(payload: Buffer, mask: Buffer): Buffer {
  return Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
}

/** A frame that has come. */
export interface ReceivedFrame {
  readonly opcode: number;
  readonly payload: Buffer;
  readonly fin: boolean;
  readonly rsv: number;
  readonly isMasked: boolean;
  readonly lengthBits: 7 | 16 | 64;
}

/** How many bits have the length, by what stands in the second byte. */
const BITS: Readonly<Record<number, 16 | 64>> = { 126: 16, 127: 64 };

/** Makes frames of chunks of bytes. */
export class FrameReader {
  #bytes: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
  }

  /** The next whole frame; null if it is not there yet. */
  next(): ReceivedFrame | null {
    const bytes = this.#bytes;
    if (bytes.length < 2) return null;
    const [first = 0, second = 0] = bytes;
    const short = second & 0x7f;
    const lengthBits = BITS[short] ?? 7;
    const isMasked = (second & 0x80) !== 0;
    const maskAt = 2 + { 7: 0, 16: 2, 64: 8 }[lengthBits];
    const payloadAt = maskAt + (isMasked ? 4 : 0);
    if (bytes.length < payloadAt) return null;
    const length = lengthBits === 7 ? short : Number(`0x${bytes.toString("hex", 2, maskAt)}`);
    if (bytes.length < payloadAt + length) return null;
    const raw = bytes.subarray(payloadAt, payloadAt + length);
    const payload = isMasked ? masked(raw, bytes.subarray(maskAt, payloadAt)) : Buffer.from(raw);
    this.#bytes = bytes.subarray(payloadAt + length);
    return { opcode: first & 0x0f, payload, fin: (first & 0x80) !== 0, rsv: first & 0x70, isMasked, lengthBits };
  }
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: string | Buffer = ""): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return Buffer.concat([payload, Buffer.from(reason)]);
}
