// Values that were closed, or moved away before. Cloning them is an error; but of a MessagePort that is gone Node dies, by a
// segmentation fault, once there are threads; and a FileHandle is only missed by the thread that gets it. So they are looked
// for first.

import { types } from "node:util";
import { MessagePort } from "node:worker_threads";

import { isOtherEndGone } from "./port-end.ts";

/** A value was not cloned, as the structured clone says it. */
export class CloneError extends Error {
  override readonly name = "DataCloneError";
}

/** How many objects are looked at, from the top: what carries a port is small as a rule, and large data must stay cheap. */
const MOST = 1_000;

/** What the object is, if it was closed or moved away; null if it was not. */
export function describeGone(value: object): string | null {
  if (ArrayBuffer.isView(value)) return null;
  if (types.isArrayBuffer(value)) return value.detached ? "an ArrayBuffer that was moved away" : null;
  if (value instanceof MessagePort) {
    return isOtherEndGone(value) ? "a MessagePort that is closed, or was moved away" : null;
  }
  return isClosedHandle(value) ? "a FileHandle that is closed, or was moved away" : null;
}

function isClosedHandle(value: object): boolean {
  return "fd" in value && value.fd === -1 && value.constructor?.name === "FileHandle";
}

/**
 * Refuses a value that holds what is gone.
 *
 * @throws a CloneError, which does not say where it lies
 */
export function refuseGone(message: unknown): void {
  if (typeof message !== "object" || message === null) return;
  const seen = new Set<object>([message]);
  // It grows while it is read.
  for (const object of seen) {
    if (types.isProxy(object)) continue; // it cannot be cloned in any case
    const gone = isPlain(object) ? null : describeGone(object);
    if (gone !== null) throw new CloneError(`${gone} could not be cloned`);
    let looked = 0;
    for (const part of partsOf(object)) {
      if (typeof part === "object" && part !== null) seen.add(part);
      if (seen.size >= MOST || ++looked >= MOST) break;
    }
  }
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const NOTHING: readonly unknown[] = [];

function partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value)) return value;
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return NOTHING;
  if (types.isMap(value)) return [...value.keys(), ...value.values()];
  if (types.isSet(value)) return value;
  // Getters are left to the clone: to read them twice would show.
  return Object.keys(value).map((key): unknown => Object.getOwnPropertyDescriptor(value, key)?.value);
}

/** The structured clone, of what may hold something that is gone. */
export function cloneOf<T>(value: T): T {
  refuseGone(value);
  return structuredClone(value);
}
