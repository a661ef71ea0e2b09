// Generator functions given where a function is wanted that does something when it is called.
//
// Their code runs when somebody iterates what the call returns: later, outside of the scope that was to hold it, or never.

import { UsageError } from "../errors.ts";

type Tagged = object & { readonly name?: string; readonly [Symbol.toStringTag]?: unknown };

/** Whether `fn` is a generator function, sync or async. */
export function isGeneratorFunction(fn: Tagged): boolean {
  // The tag and not the class: it is the same in all realms.
  const tag = fn[Symbol.toStringTag];
  return tag === "GeneratorFunction" || tag === "AsyncGeneratorFunction";
}

/** The error for a generator function that was given to do something with, as in `Cannot start … with gather`. */
export function generatorError(fn: Tagged, cannot: string, how: string): UsageError {
  const name = fn.name === "" ? "items" : fn.name;
  const loop = fn[Symbol.toStringTag] === "GeneratorFunction" ? "for" : "for await";
  return new UsageError(
    "MW_ERR_GENERATOR",
    `Cannot ${cannot} the generator function "${name}"${how}: a call runs none of its code, which would run outside whenever somebody iterates; iterate inside, like async () => { ${loop} (const item of ${name}()) use(item); }`,
  );
}
