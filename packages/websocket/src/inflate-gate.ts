// Holds up unpacking while the inbox is full. Pausing the socket stops what has not been read from it, but a piece of 64 KiB
// that has been read may hold a hundred messages that unpack to a megabyte each.
//
// `ws` has no option for it, so this reaches into its extension; the version of `ws` is fixed, and a test guards it.

import type { WebSocket } from "ws";

type Unpacked = (error: Error | null, data?: Buffer) => void;

interface Extension {
  decompress(data: Buffer, fin: boolean, callback: Unpacked): void;
}

export class InflateGate {
  #isOpen = true;
  // What waits at the gate: one at most, as the receiver does nothing else meanwhile.
  #held: (() => void) | null = null;

  constructor(socket: WebSocket) {
    const extension = extensionOf(socket);
    if (extension === undefined) return;
    const unpack = extension.decompress.bind(extension);
    extension.decompress = (data, fin, callback) => {
      if (this.#isOpen) unpack(data, fin, callback);
      else this.#held = () => unpack(data, fin, callback);
    };
  }

  close(): void {
    this.#isOpen = false;
  }

  open(): void {
    this.#isOpen = true;
    const held = this.#held;
    this.#held = null;
    held?.();
  }
}

function extensionOf(socket: WebSocket): Extension | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above: no public way leads there
  const { _extensions: extensions } = socket as unknown as { _extensions?: Record<string, Extension> };
  return extensions?.["permessage-deflate"];
}
