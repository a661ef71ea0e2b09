// Which seeds a test runs under, and how a failure says which one it was.

import { TestError, UsageError } from "../errors.ts";
import { show } from "../util/show.ts";

/** Set to an integer, it is the one seed that every seeded test runs under. */
const VARIABLE = "MEANWHILE_SEED";

/** The largest seed; there are 2 ** 32 of them. */
const LARGEST = 4_294_967_295;

function isSeed(seed: unknown): seed is number {
  return typeof seed === "number" && Number.isInteger(seed) && seed >= 0 && seed <= LARGEST;
}

/** The seed to use in place of a given one: that of the environment, if there is one. */
export function seedToUse(call: string, seed: number): number {
  if (!isSeed(seed)) throw badSeed(call, `'seed' is ${show(seed)}`);
  return seedFromEnvironment(call) ?? seed;
}

/** The seeds of `count` runs, beginning with `first`; only that of the environment, if there is one. */
export function seedsToUse(call: string, first: number, count: number): number[] {
  if (!isSeed(first)) throw badSeed(call, `'seed' is ${show(first)}`);
  const only = seedFromEnvironment(call);
  return only === undefined ? Array.from({ length: count }, (_, i) => (first + i) % (LARGEST + 1)) : [only];
}

function seedFromEnvironment(call: string): number | undefined {
  const text = process.env[VARIABLE];
  if (text === undefined || text === "") return undefined;
  const seed = Number(text);
  if (!isSeed(seed)) throw badSeed(call, `the variable ${VARIABLE} is ${show(text)}`);
  return seed;
}

function badSeed(call: string, what: string): UsageError {
  return new UsageError("MW_ERR_INVALID_ARGUMENT", `Cannot ${call}: ${what}; pass an integer from 0 to ${LARGEST}`);
}

/**
 * The error of a test that failed under a seed, with what it takes to see it again. The error itself, so that assertions
 * keep their class and their diff. The text goes to the end of its message too: not every test runner prints properties.
 * What can carry neither is wrapped.
 */
export function withSeed(error: unknown, seed: number): unknown {
  const replay = `set ${VARIABLE}=${seed} to run this schedule alone`;
  if (!(error instanceof Error) || !Object.isExtensible(error)) {
    const what = `Cannot pass under seed ${seed}: the test threw ${show(error)}; ${replay}`;
    return Object.assign(new TestError("MW_ERR_THROWN_UNDER_SEED", what, { cause: error }), { seed, replay });
  }
  // Reflect.set: a property that cannot be written is left as it is.
  for (const [name, value] of Object.entries({ seed, replay })) Reflect.set(error, name, value);
  // The same error may be thrown under several seeds.
  Reflect.set(error, "message", `${error.message.replace(NOTE, "")}\n(seed ${seed}: ${replay})`);
  return error;
}

const NOTE = new RegExp(`\\n\\(seed \\d+: set ${VARIABLE}=\\d+ .*\\)$`);
