// What cannot go to another process: what threads can share or move, what belongs to its process, and what not even threads
// take. The serializer of V8 makes empty objects of most of it, so it is looked for before a message is sent to a process, or by one.

import { types } from "node:util";
import * as threads from "node:worker_threads";

import { describeNotCloneable, refusalOf } from "./cloneable.ts";
import { cloneOf } from "./gone-values.ts";
import { isMovedAlways } from "./moved.ts";

/** A message was not sent because of a value that belongs to its process. */
class ForeignValueError extends Error {}

// The function is not there in every host.
const { isMarkedAsUntransferable } = threads as Partial<typeof threads>;

/** Whether the memory is that which small `Buffer`s have together. */
export function isPooled(memory: ArrayBufferLike): boolean {
  return isMarkedAsUntransferable?.(memory) === true;
}

/**
 * Refuses a message with a value that cannot go to another process, as far as the serializer would not.
 *
 * @returns whether it has a view of memory that small `Buffer`s have together
 * @throws a ForeignValueError, which does not say where the value lies; see {@link describeRefusal}
 */
export function refuseForeign(message: object): boolean {
  const seen = new Set<object>([message]);
  let hasPooled = false;
  // It grows while it is read.
  for (const object of seen) {
    if (!isData(object)) throw new ForeignValueError("Cannot send a value to another process: it belongs to its own");
    if (ArrayBuffer.isView(object)) hasPooled ||= isPooled(object.buffer);
    else for (const part of partsOf(object)) if (typeof part === "object" && part !== null) seen.add(part);
  }
  return hasPooled;
}

/** Prototypes of which it is known that their objects are data. */
const DATA = new WeakSet<object>([
  Object.prototype,
  Array.prototype,
  ArrayBuffer.prototype,
  Date.prototype,
  Error.prototype,
  Map.prototype,
  RegExp.prototype,
  Set.prototype,
]);

/** Whether the bytes that V8 writes are all there is to the object. */
function isData(value: object): boolean {
  if (ArrayBuffer.isView(value)) return !types.isSharedArrayBuffer(value.buffer);
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || DATA.has(prototype) || types.isProxy(value) || isBuiltIn(value)) return true;
  const copy = copyOf(value);
  // What holds something that cannot be cloned is refused here, and rightly.
  if (copy === null || Object.getPrototypeOf(copy) !== Object.prototype) return false;
  DATA.add(prototype);
  return true;
}

function isBuiltIn(value: object): boolean {
  if (types.isNativeError(value)) return !(value instanceof DOMException);
  return (
    Array.isArray(value) ||
    types.isArrayBuffer(value) ||
    types.isBoxedPrimitive(value) ||
    types.isDate(value) ||
    types.isMap(value) ||
    types.isRegExp(value) ||
    types.isSet(value)
  );
}

/**
 * Structured clone alone knows what an object of the host or of a class is: of data it makes a plain object, what belongs to
 * the process keeps its class, and the rest is refused. Each class is asked once.
 *
 * @returns null if it is refused
 */
function copyOf(value: object): object | null {
  try {
    return cloneOf(value);
  } catch {
    return null;
  }
}

/** Whether the value can be sent to another process, or by one. */
export function canLeaveProcess(value: object): boolean {
  try {
    refuseForeign(value);
    cloneOf(value);
    return true;
  } catch {
    return false;
  }
}

/** What the value is called, if it is one that only threads can have. */
function foreignName(value: object): string | null {
  if (ArrayBuffer.isView(value)) return isData(value) ? null : "a view of a SharedArrayBuffer";
  if (isData(value)) return null;
  // What is refused by threads too is told of as they tell of it.
  if (copyOf(value) === null && !isMovedAlways(value)) return null;
  const { name } = value.constructor;
  return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
}

const NOTHING: readonly unknown[] = [];

// What throws here throws again in the serializer, which is asked next.
function partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value)) return value;
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) || types.isProxy(value)) return NOTHING;
  if (types.isMap(value)) return [...value.keys(), ...value.values()];
  if (types.isSet(value)) return value;
  try {
    return types.isNativeError(value) ? [value.cause] : Object.values(value);
  } catch {
    return NOTHING;
  }
}

/**
 * Where in a value that could not be sent the reason lies, and what it is; null if it is not found.
 *
 * @param value - what was to be sent
 * @param at - how the caller calls it
 * @param moved - objects in it that were to be moved
 * @param error - why the message was refused
 */
export function describeRefusal(value: unknown, at: string, moved: readonly object[], error: unknown): string | null {
  try {
    if (error instanceof ForeignValueError) return describeNotCloneable(value, at, [], refusalByProcess);
    return describeNotCloneable(value, at, moved) ?? describeNotMovable(value, at, moved, error);
  } catch {
    // What is looked at may be made to throw: by getters, and by traps of a Proxy.
    return `${at} throws when it is looked at`;
  }
}

/** If there is one thing to be moved, and all else is in order, then it is that. */
function describeNotMovable(value: unknown, at: string, moved: readonly object[], error: unknown): string | null {
  if (moved.length !== 1) return null;
  const why = error instanceof Error ? error.message : String(error);
  return describeNotCloneable(value, at, [], (met) =>
    met === moved[0] ? `an object that cannot be moved: ${why}` : null,
  );
}

function refusalByProcess(value: unknown): string | null {
  const name = typeof value === "object" && value !== null ? foreignName(value) : null;
  return name === null ? refusalOf(value) : `${name}, which belongs to its process`;
}
