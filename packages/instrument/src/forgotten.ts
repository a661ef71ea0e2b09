// Calls of async functions whose promise is dropped where it is made.

import {
  type FunctionSite,
  newestEnteredFunction,
  newestLeftFunction,
  placeOf,
  type WaitSite,
} from "meanwhile/lowlevel";

const reported = new WeakSet<WaitSite>();
const asyncFunction = Object.getPrototypeOf(async () => {});

/**
 * Looks at what a statement that is a call of `name` has made. If it is the promise of an async function of the program,
 * nobody can wait for it or see its error: reported once for each place. A function that only returns a promise may have
 * kept it, so `called`, if it is known, must be an async one. `isOfFile`: the file has an async function of this name, which
 * may be one that never waits and is not instrumented.
 */
export function checkDropped<T>(value: T, name: string, site: WaitSite, called?: unknown, isOfFile = false): T {
  if (!(value instanceof Promise) || reported.has(site)) return value;
  if (called !== undefined && !isAsyncFunction(called)) return value;
  const dropped = isOfFile ? name : nameOfCalled(name);
  if (dropped === null) return value;
  reported.add(site);
  process.emitWarning(
    `The promise of "${dropped}" was never awaited: called at ${placeOf(site)}; write \`await ${site.text}\`, or \`void ${site.text}\` if nobody needs to know when and how it ends`,
    { type: "MeanwhileWarning", code: "MW_WARN_NEVER_AWAITED" },
  );
  return value;
}

/** The same for a method, which is read again only where there is something to report. */
export function checkDroppedOf<T>(value: T, name: string, site: WaitSite, receiver: object): T {
  if (!(value instanceof Promise) || reported.has(site) || nameOfCalled(name) === null) return value;
  return checkDropped(value, name, site, Reflect.get(Object(receiver), name));
}

function isAsyncFunction(called: unknown): boolean {
  return typeof called === "function" && Object.getPrototypeOf(called) === asyncFunction;
}

/** The full name of the instrumented function that was called by this name just now. */
function nameOfCalled(name: string): string | null {
  const sites: ReadonlyArray<FunctionSite | null> = [newestLeftFunction(), newestEnteredFunction()];
  return sites.find((site) => site !== null && lastPart(site.name) === name)?.name ?? null;
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
