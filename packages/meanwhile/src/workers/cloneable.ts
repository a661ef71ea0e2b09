// Finds what structured clone cannot take, and says where it lies: "args[0].user.save is a function".
// Only called after a clone has failed, so it may look at everything; it never copies a buffer.

import { types } from "node:util";

import { cloneOf, describeGone } from "./gone-values.ts";

const SHOWN = 100;

/** A value that was met, and how to get to it. */
interface Found {
  readonly value: unknown;
  readonly at: string;
}

/**
 * The path of the first value that structured clone cannot take, with what it is; null if all of it can be taken. What
 * lies higher is found first.
 *
 * @param value - what was to be sent
 * @param at - how the caller calls the value, like `args[0]`
 * @param transferred - objects that are moved, not copied: they are taken as they are, if they are not gone
 * @param refuse - what a value is, if it is of a kind that is never cloned
 * @returns for `{ user: { save() {} } }` at `args[0]`: `args[0].user.save is a function`
 */
export function describeNotCloneable(
  value: unknown,
  at: string,
  transferred: readonly unknown[] = [],
  refuse: (value: unknown) => string | null = refusalOf,
): string | null {
  const isMoved = new Set<unknown>(transferred);
  const seen = new Set<unknown>(transferred);
  const suspects: Found[] = [];
  const queue: Found[] = [];
  const meet = (next: unknown, where: () => string): string | null => {
    const bad = (isMoved.has(next) ? null : refuse(next)) ?? goneOrNull(next);
    if (bad !== null) return `${shorten(where())} is ${bad}`;
    if (typeof next !== "object" || next === null || seen.has(next)) return null;
    seen.add(next);
    queue.push({ value: next, at: where() });
    return null;
  };
  const top = meet(value, () => at);
  if (top !== null) return top;
  // The queue grows while it is read.
  for (const found of queue) {
    if (!isTakenWhole(found.value as object)) suspects.push(found);
    const bad = lookInside(found, meet);
    if (bad !== null) return bad;
  }
  return firstRefused(suspects);
}

function goneOrNull(value: unknown): string | null {
  return typeof value === "object" && value !== null ? describeGone(value) : null;
}

type Meet = (value: unknown, where: () => string) => string | null;

/** Cuts a path of thousands of steps in the middle. */
function shorten(path: string): string {
  return path.length <= 2 * SHOWN ? path : `${path.slice(0, SHOWN)} … ${path.slice(-SHOWN)}`;
}

/** What the value is, if it is of a kind that is never cloned. */
export function refusalOf(value: unknown): string | null {
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol" || types.isSymbolObject(value)) return "a symbol";
  if (typeof value !== "object" || value === null) return null;
  if (types.isProxy(value)) return "a Proxy";
  if (types.isPromise(value)) return "a Promise";
  if (types.isArgumentsObject(value)) return "an arguments object";
  if (types.isModuleNamespaceObject(value)) return "a module";
  return null;
}

/** Whether the clone copies the object as it is, or by what lies in it; of others only the clone itself can tell. */
function isTakenWhole(value: object): boolean {
  if (types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value) || Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Meets what lies in an object, where the clone would look. */
function lookInside({ value, at }: Found, meet: Meet): string | null {
  if (ArrayBuffer.isView(value)) return meet(value.buffer, () => `${at}.buffer`);
  if (types.isAnyArrayBuffer(value)) return null;
  if (types.isMap(value)) return lookInMap(value, at, meet);
  if (types.isSet(value)) {
    return firstOf([...value], (element, index) => meet(element, () => `[...${at}][${index}]`));
  }
  // Of an error the clone takes the cause, and none of its own properties.
  if (types.isNativeError(value)) return meet(value.cause, () => `${at}.cause`);
  return firstOf(Object.keys(value as object), (key) => lookAt(value as Record<string, unknown>, key, at, meet));
}

function lookInMap(map: ReadonlyMap<unknown, unknown>, at: string, meet: Meet): string | null {
  return firstOf([...map], ([key, value], index) => {
    const where = typeof key === "string" || typeof key === "number" ? `.get(${JSON.stringify(key)})` : null;
    return (
      meet(key, () => `[...${at}.keys()][${index}]`) ??
      meet(value, () => (where === null ? `[...${at}.values()][${index}]` : `${at}${where}`))
    );
  });
}

function lookAt(holder: Record<string, unknown>, key: string, at: string, meet: Meet): string | null {
  const where = (): string => at + step(key, Array.isArray(holder));
  try {
    return meet(holder[key], where);
  } catch {
    return `${shorten(where())} is a getter that throws`;
  }
}

function step(key: string, isArray: boolean): string {
  if (isArray && /^\d+$/.test(key)) return `[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

function firstOf<T>(items: readonly T[], look: (item: T, index: number) => string | null): string | null {
  for (const [index, item] of items.entries()) {
    const bad = look(item, index);
    if (bad !== null) return bad;
  }
  return null;
}

/** The deepest first: what holds it cannot be cloned because of it. */
function firstRefused(suspects: readonly Found[]): string | null {
  for (const { value, at } of suspects.toReversed()) {
    try {
      cloneOf(value);
    } catch {
      return `${shorten(at)} is ${nameWhatItIs(value as object)}`;
    }
  }
  return null;
}

function nameWhatItIs(value: object): string {
  const name: unknown = value.constructor?.name;
  if (typeof name !== "string" || name === "") return "an object that belongs to this thread";
  return `an instance of ${name}`;
}
