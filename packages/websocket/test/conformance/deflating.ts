// permessage-deflate by hand: what RFC 7692 wants of the payload of a message, on both sides of a connection.

import { constants, deflateRawSync, inflateRawSync } from "node:zlib";

import type { Side } from "./wire.ts";

const TRAILER = Buffer.from([0x00, 0x00, 0xff, 0xff]);
const LONGEST_WINDOW = 32_768;

export interface DeflateSettings {
  /** Default: 15. */
  readonly windowBits?: number;
  /** What was sent before, for one that goes on with its window. */
  readonly before?: Buffer;
}

/** The payload of a compressed message. */
export function deflated(payload: string | Uint8Array, { windowBits = 15, before }: DeflateSettings = {}): Buffer {
  const dictionary =
    before === undefined || before.length === 0 ? {} : { dictionary: before.subarray(-LONGEST_WINDOW) };
  const bytes = deflateRawSync(payload, { windowBits, finishFlush: constants.Z_SYNC_FLUSH, ...dictionary });
  return bytes.subarray(0, bytes.length - TRAILER.length);
}

/** What one side of a connection may do when it compresses. */
interface Parameters {
  readonly windowBits: number;
  readonly hasTakeover: boolean;
}

/** What was agreed on for what `side` sends; null without the extension. */
export function agreedFor(side: Side, extensions: string | undefined): Parameters | null {
  if (extensions === undefined || !extensions.startsWith("permessage-deflate")) return null;
  const bits = new RegExp(`${side}_max_window_bits="?(\\d+)`).exec(extensions)?.[1];
  return {
    windowBits: bits === undefined ? 15 : Number(bits),
    hasTakeover: !extensions.includes(`${side}_no_context_takeover`),
  };
}

/** Reads the compressed messages of one side, in their order, with no more of a window than was agreed on. */
export class Inflater {
  readonly #agreed: Parameters;
  #before: Buffer = Buffer.alloc(0);

  constructor(agreed: Parameters) {
    this.#agreed = agreed;
  }

  /** @throws if the window of the sender was longer, or went on where it must not */
  read(payload: Buffer): Buffer {
    const { windowBits, hasTakeover } = this.#agreed;
    const dictionary = hasTakeover && this.#before.length > 0 ? { dictionary: this.#before } : {};
    const bytes = inflateRawSync(Buffer.concat([payload, TRAILER]), {
      windowBits,
      finishFlush: constants.Z_SYNC_FLUSH,
      ...dictionary,
    });
    this.#before = Buffer.concat([this.#before, bytes]).subarray(-(2 ** windowBits));
    return bytes;
  }
}
