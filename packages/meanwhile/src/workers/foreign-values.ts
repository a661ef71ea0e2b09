// What threads can share or move, and processes can do neither with. The serializer of child_process makes empty objects of most
// of them, so they are looked for before a message is sent to a process, or by one.

import { types } from "node:util";

import { describeNotCloneable, refusalOf } from "./cloneable.ts";

const CLASSES: ReadonlySet<string> = new Set([
  "Blob",
  "CryptoKey",
  "File",
  "ReadableStream",
  "TransformStream",
  "WebAssembly.Module",
  "WritableStream",
]);

/** A message was not sent because of a value that belongs to its process. */
class ForeignValueError extends Error {}

/**
 * Refuses a message with a value that belongs to its process.
 *
 * @throws a ForeignValueError, which does not say where the value lies; see {@link describeRefusal}
 */
export function refuseForeign(message: object): void {
  const seen = new Set<object>([message]);
  // It grows while it is read.
  for (const object of seen) {
    const name = foreignName(object);
    if (name !== null) throw new ForeignValueError(`Cannot send ${name} to another process: it belongs to its own`);
    for (const part of partsOf(object)) if (typeof part === "object" && part !== null) seen.add(part);
  }
}

/** What the value is called, if it belongs to its process. */
function foreignName(value: object): string | null {
  if (types.isSharedArrayBuffer(value)) return "a SharedArrayBuffer";
  if (ArrayBuffer.isView(value))
    return types.isSharedArrayBuffer(value.buffer) ? "a view of a SharedArrayBuffer" : null;
  if (types.isProxy(value) || Array.isArray(value)) return null;
  if (types.isKeyObject(value)) return "a KeyObject";
  if (value instanceof MessagePort) return "a MessagePort";
  if (value instanceof BroadcastChannel) return "a BroadcastChannel";
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return null;
  const name = Object.prototype.toString.call(value).slice(8, -1);
  return CLASSES.has(name) ? `a ${name}` : null;
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
    if (!(error instanceof ForeignValueError)) return describeNotCloneable(value, at, moved);
    return describeNotCloneable(value, at, [], refusalByProcess);
  } catch {
    // What is looked at may be made to throw: by getters, and by traps of a Proxy.
    return `${at} throws when it is looked at`;
  }
}

function refusalByProcess(value: unknown): string | null {
  const name = typeof value === "object" && value !== null ? foreignName(value) : null;
  return name === null ? refusalOf(value) : `${name}, which belongs to its process`;
}
