// Which values leave for the other side instead of being copied.

import { types } from "node:util";
import * as threads from "node:worker_threads";

import { show } from "../util/show.ts";
import { WorkerError } from "./errors.ts";

const marked = new WeakSet<object>();
// How many marks were made and not met on the way out. While there are none, nothing is searched.
let outstanding = 0;
// A buffer that was marked and never sent.
const lost = new FinalizationRegistry<undefined>(() => {
  outstanding -= 1;
});

/**
 * Marks a buffer, or the buffer of a typed array, as one that the next message which carries it moves instead of copying it:
 * 100 MB take as long as nothing, and this side is left with an empty buffer. For arguments, for results and for progress.
 * In a `ProcessPool` it is copied all the same. `MessagePort`s and streams are always moved.
 *
 * @returns `buffer` itself
 * @throws {@link WorkerError} `MW_ERR_WORKER_INVALID_ARGUMENT` for anything but a buffer or a view of one, and for a
 *   small `Buffer`, which shares its memory with others
 * @see {@link https://developer.mozilla.org/docs/Web/API/Web_Workers_API/Transferable_objects}
 *
 * @example
 * ```ts
 * import { moved } from "meanwhile/workers";
 *
 * const samples = new Float64Array(1_000);
 * const { port1, port2 } = new MessageChannel();
 * const sent = moved(samples);
 * console.log(sent === samples); //> true
 * port1.close();
 * port2.close();
 * ```
 */
export function moved<T extends ArrayBuffer | ArrayBufferView>(buffer: T): T {
  const whole: unknown = ArrayBuffer.isView(buffer) ? buffer.buffer : buffer;
  if (!(whole instanceof ArrayBuffer)) {
    throw new WorkerError(
      "MW_ERR_WORKER_INVALID_ARGUMENT",
      `Cannot move ${show(buffer)}; pass an ArrayBuffer or a typed array of one`,
    );
  }
  // The function is not there in every host.
  const { isMarkedAsUntransferable: isShared } = threads as Partial<typeof threads>;
  if (isShared?.(whole)) {
    throw new WorkerError(
      "MW_ERR_WORKER_INVALID_ARGUMENT",
      `Cannot move ${show(buffer)}: it lies in memory that it shares with other buffers; pass a copy, like Uint8Array.from(buffer)`,
    );
  }
  if (marked.has(whole)) return buffer;
  marked.add(whole);
  outstanding += 1;
  lost.register(whole, undefined, whole);
  return buffer;
}

/** The buffers in `value` that were given to {@link moved}; their marks are taken off. */
export function takeMoved(value: unknown): ArrayBuffer[] {
  if (outstanding === 0) return NOTHING;
  try {
    return search(value, (found) => found instanceof ArrayBuffer && marked.delete(found)).filter(isBuffer);
  } catch {
    return NOTHING; // a getter that throws: the clone is refused, and tells where it is
  }
}

function isBuffer(value: object): value is ArrayBuffer {
  outstanding -= 1;
  lost.unregister(value);
  return value instanceof ArrayBuffer;
}

const NOTHING: ArrayBuffer[] = [];

/** What in `value` cannot be copied and has to be moved, and what was `chosen`. Searched only after a message was refused. */
export function mustMove(value: unknown, chosen: ReadonlySet<object>): object[] {
  try {
    return search(value, (found) => chosen.has(found) || isMovedAlways(found));
  } catch {
    return []; // a getter that throws
  }
}

const MOVED_CLASSES = new Set([
  "MessagePort",
  "ReadableStream",
  "WritableStream",
  "TransformStream",
  "FileHandle",
  "OffscreenCanvas",
]);

/** Whether it is of a kind that can be moved; whether this one can, the clone says. */
export function canMove(value: unknown): boolean {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null;
}

/** Whether it can only be moved, and is without a word. */
export function isMovedAlways(value: object): boolean {
  return MOVED_CLASSES.has(classOf(value));
}

function classOf(value: object): string {
  const { constructor } = value;
  return typeof constructor === "function" ? constructor.name : "";
}

/** Goes through arrays, maps, sets and the properties of objects. */
function search(value: unknown, isWanted: (value: object) => boolean): object[] {
  const found: object[] = [];
  const seen = new Set<unknown>();
  // The list grows while it is read.
  const open: unknown[] = [value];
  for (const next of open) {
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    seen.add(next);
    if (isWanted(next)) found.push(next);
    else if (ArrayBuffer.isView(next)) open.push(next.buffer);
    else for (const part of partsOf(next)) open.push(part);
  }
  return found;
}

function partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value)) return value;
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  if (value instanceof Set) return value;
  return types.isProxy(value) ? [] : Object.values(value);
}
