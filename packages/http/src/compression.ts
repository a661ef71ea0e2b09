// Packs a body while it is sent.

import type { Transform } from "node:stream";
import { createBrotliCompress, createDeflate, createGzip, createZstdCompress } from "node:zlib";

import { type ByteSource, slicesOf } from "./byte-source.ts";
import { badArgument } from "./checks.ts";
import type { RequestLine } from "./errors.ts";

/** How the body of a request can be packed. */
export type RequestCoding = "gzip" | "deflate" | "br" | "zstd";

const ENCODERS: Readonly<Record<RequestCoding, () => Transform>> = {
  gzip: () => createGzip(),
  deflate: () => createDeflate(),
  br: () => createBrotliCompress(),
  zstd: () => createZstdCompress(),
};

/** Refuses what is no coding. */
export function checkCoding(coding: unknown, request: RequestLine): void {
  if (coding === undefined || (typeof coding === "string" && Object.hasOwn(ENCODERS, coding))) return;
  throw badArgument(request, "compress", coding, '"gzip", "deflate", "br" or "zstd"');
}

/** The same bytes, packed; how many that makes only the end will tell. */
export function compressed(source: ByteSource, coding: RequestCoding): ByteSource {
  return {
    get isSpent() {
      return source.isSpent;
    },
    // Asked all the same: it says beforehand that a file cannot be read.
    measure: () => {
      const size = source.measure();
      return size instanceof Promise ? size.then(() => undefined) : undefined;
    },
    open: () => pack(source.open(), ENCODERS[coding]()),
  };
}

// Not pipeline(): the source is to be pulled by whoever pulls here, in his scope.
async function* pack(source: AsyncIterable<string | Uint8Array>, encoder: Transform): AsyncGenerator<Uint8Array, void> {
  const packed: Uint8Array[] = [];
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  ended.catch(() => {});
  encoder
    .on("data", (chunk: Uint8Array) => packed.push(chunk))
    .on("end", resolve)
    .on("error", reject);
  try {
    for await (const chunk of source) {
      // In small pieces, so that no more than one of them is packed ahead of the connection.
      for await (const piece of slicesOf(typeof chunk === "string" ? Buffer.from(chunk) : chunk)) {
        await Promise.race([ended, written(encoder, piece)]);
        yield* packed.splice(0);
      }
    }
    encoder.end();
    await ended;
    yield* packed.splice(0);
  } finally {
    encoder.destroy();
  }
}

function written(encoder: Transform, piece: Uint8Array): Promise<void> {
  return new Promise((resolve) => void encoder.write(piece, () => resolve()));
}
