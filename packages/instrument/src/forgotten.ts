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
 * nobody can wait for it or see its error: reported once for each place. `called` is given if the file itself has an async
 * function of this name, which may be one that never waits and is not instrumented.
 */
export function checkDropped<T>(value: T, name: string, site: WaitSite, called?: unknown): T {
  if (!(value instanceof Promise) || reported.has(site)) return value;
  const dropped = isAsyncFunction(called) ? name : nameOfCalled(name);
  if (dropped === null) return value;
  reported.add(site);
  process.emitWarning(
    `The promise of "${dropped}" was never awaited: called at ${placeOf(site)}; write \`await ${site.text}\`, or \`void ${site.text}\` if nobody needs to know when and how it ends`,
    { type: "MeanwhileWarning", code: "MW_WARN_NEVER_AWAITED" },
  );
  return value;
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
