// Reads the values of options one by one, and says what is wrong with those that cannot be meant.

import { type parseArgs } from "node:util";

import { usageError } from "../errors.ts";
import {
  CLUSTER_OPTIONS,
  FILE_OPTIONS,
  INPUT_OPTIONS,
  LIMIT_OPTIONS,
  NETWORK_OPTIONS,
  OUTPUT_OPTIONS,
  REQUEST_OPTIONS,
  SCHEDULE_OPTIONS,
  STATE_OPTIONS,
} from "./option-tables.ts";
import { parseBytes, parseCount, parseDurationMs, parseRatePerSecond } from "./quantities.ts";

/** What `parseArgs` takes. */
export const CONFIG: typeof INPUT_OPTIONS &
  typeof SCHEDULE_OPTIONS &
  typeof CLUSTER_OPTIONS &
  typeof LIMIT_OPTIONS &
  typeof REQUEST_OPTIONS &
  typeof NETWORK_OPTIONS &
  typeof FILE_OPTIONS &
  typeof STATE_OPTIONS &
  typeof OUTPUT_OPTIONS = {
  ...INPUT_OPTIONS,
  ...SCHEDULE_OPTIONS,
  ...CLUSTER_OPTIONS,
  ...LIMIT_OPTIONS,
  ...REQUEST_OPTIONS,
  ...NETWORK_OPTIONS,
  ...FILE_OPTIONS,
  ...STATE_OPTIONS,
  ...OUTPUT_OPTIONS,
};

/** What it makes of the arguments. */
export type Parsed = ReturnType<typeof parseArgs<{ options: typeof CONFIG; allowPositionals: true; args: string[] }>>;
export type Values = Parsed["values"];

/** The value of an option, or what is possible instead. */
export function read<T>(option: string, text: string, parser: (text: string) => T | undefined, wanted: string): T {
  const value = parser(text);
  if (value === undefined) throw usageError(`${option} "${text}" is not possible; pass ${wanted}`);
  return value;
}

/** A whole number >= `least`. */
export function readCount(option: string, text: string, least: number): number {
  return read(option, text, (digits) => parseCount(digits, least), `a whole number >= ${least}`);
}

/** A time limit in milliseconds; 0, and what was not said, is no limit. */
export function readLimit(option: string, text: string | undefined): number {
  if (text === undefined) return Infinity;
  const ms = read(option, text, parseDurationMs, "seconds, or a time like 500ms or 2m; 0 for no limit");
  return ms === 0 ? Infinity : ms;
}

/** A size in bytes; 0, and what was not said, is no limit. */
export function readSize(option: string, text: string | undefined): number {
  if (text === undefined) return Infinity;
  const bytes = read(option, text, parseBytes, "a size like 500kB or 10MiB; 0 for no limit");
  return bytes === 0 ? Infinity : bytes;
}

/** Starts per second; what was not said is no limit. */
export function readRate(option: string, text: string | undefined): number {
  return text === undefined ? Infinity : read(option, text, parseRatePerSecond, "a rate like 20/s");
}

/** One of the choices. */
export function choose<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((known) => known === text);
  if (choice === undefined) throw usageError(`${option} "${text}" is not possible; pass ${choices.join(", ")}`);
  return choice;
}
