// Calls of async functions whose promise is dropped where it is made.

import { newestEnteredFunction, placeOf, type WaitSite } from "meanwhile/lowlevel";

const reported = new WeakSet<WaitSite>();

/**
 * Looks at what a statement that is a call of `name` has made. If it is the promise of an instrumented async function,
 * nobody can wait for it or see its error: reported once for each place.
 */
export function checkDropped<T>(value: T, name: string, site: WaitSite): T {
  if (!(value instanceof Promise) || reported.has(site)) return value;
  const called = newestEnteredFunction();
  if (called === null || lastPart(called.name) !== name) return value;
  reported.add(site);
  process.emitWarning(
    `The promise of "${called.name}" was never awaited: called at ${placeOf(site)}; write \`await ${site.text}\`, or \`void ${site.text}\` if nobody needs to know when and how it ends`,
    { type: "MeanwhileWarning", code: "MW_WARN_NEVER_AWAITED" },
  );
  return value;
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}
