// Where the bytes of a streamed body come from: as often as it is sent, or once.

import { type FileHandle, open, stat } from "node:fs/promises";

import { BodyProblem } from "./errors.ts";

/** Bytes that are made while they are sent. */
export interface ByteSource {
  /** Whether it was opened and cannot be opened again. */
  readonly isSpent: boolean;
  /** How many bytes it will give, where that is known without a look; undefined elsewhere. */
  readonly size?: number | undefined;
  /** How many bytes it will give; undefined if only its end will tell. Rejects if it is clear that it cannot be read. */
  measure(): number | undefined | Promise<number | undefined>;
  /** The bytes, from the first one. Nothing is done before the first is asked for. */
  open(): AsyncIterable<string | Uint8Array>;
}

const CHUNK_BYTES = 64 * 1024;

/** What is all there already, in pieces that a connection takes one by one. */
export function sourceOfBytes(bytes: Uint8Array): ByteSource {
  return { isSpent: false, measure: () => bytes.length, open: () => slicesOf(bytes) };
}

/** The pieces of it, without copying. */
export async function* slicesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) yield bytes.subarray(start, start + CHUNK_BYTES);
}

/** A blob can be read as often as one likes. */
export function sourceOfBlob(blob: Blob): ByteSource {
  return { isSpent: false, size: blob.size, measure: () => blob.size, open: () => blob.stream() };
}

/** What an iterable yields is there once. */
export function sourceOfIterable(iterable: AsyncIterable<string | Uint8Array>): ByteSource {
  let isSpent = false;
  return {
    get isSpent() {
      return isSpent;
    },
    measure: () => undefined,
    open: () => {
      isSpent = true;
      return iterable;
    },
  };
}

/** A file, opened each time it is sent. One that has another size by then than was announced is not sent. */
export function sourceOfFile(path: string): ByteSource {
  let announced: number | undefined;
  const measure = async (): Promise<number> => {
    const found = await stat(path);
    if (!found.isFile()) throw new BodyProblem(`Cannot send ${JSON.stringify(path)}: it is not a regular file`);
    announced = found.size;
    return found.size;
  };
  return { isSpent: false, measure, open: () => readFile(path, announced) };
}

async function* readFile(path: string, announced: number | undefined): AsyncGenerator<Uint8Array, void> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (announced !== undefined && size !== announced) {
      throw new BodyProblem(`Cannot send ${JSON.stringify(path)}: its size changed from ${announced} to ${size} bytes`);
    }
    yield* chunksOf(file, size);
  } finally {
    await file.close();
  }
}

/** The first `size` bytes, whatever is appended meanwhile; fewer if the file is cut. */
async function* chunksOf(file: FileHandle, size: number): AsyncGenerator<Uint8Array, void> {
  for (let position = 0; position < size;) {
    // A new buffer each time: the connection may still hold the last one.
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, size - position));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
