// Lists that are packed with gzip are unpacked as they come; the first two bytes tell.

import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";

import { FileProblem } from "../errors.ts";

const CHUNK_BYTES = 64 * 1024;
/** Lists of URLs become 5 to 50 times smaller; only zeros become 1 000 times smaller. */
const MAX_RATIO = 300;
/** Below this nobody counts. */
const BOMB_BYTES = 256 * 1024 * 1024;

/**
 * The bytes of a list, unpacked if they are packed. No more than a chunk is held.
 *
 * Cancellation: not noticed; who reads from it makes its waits cancellable.
 *
 * @throws {@link Error} if it is damaged, or unpacks to far more than a list
 */
export async function* unpacked(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const iterator = chunks[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  while (head.length < 2) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    head = head.length === 0 ? value : Buffer.concat([head, value]);
  }
  if (head[0] === 0x1f && head[1] === 0x8b) yield* unpack(head, iterator);
  else yield* joined(head, iterator);
}

async function* joined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

async function* unpack(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const count = { packed: 0, unpacked: 0 };
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  // Errors of either side end the other; the loop below throws them.
  pipeline(Readable.from(counted(joined(head, rest), count), { objectMode: true, highWaterMark: 1 }), gunzip, () => {});
  try {
    for await (const chunk of gunzip) {
      const bytes: Uint8Array = chunk;
      count.unpacked += bytes.length;
      if (count.unpacked > BOMB_BYTES && count.unpacked > count.packed * MAX_RATIO) {
        throw new FileProblem(`it unpacks to more than ${MAX_RATIO} times its size; that is no list of URLs`);
      }
      yield bytes;
    }
  } finally {
    gunzip.destroy();
  }
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  count: { packed: number },
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of chunks) {
    count.packed += chunk.length;
    yield chunk;
  }
}
