// What a command that shows the page is told about it.

import { choose } from "../fetch/read-options.ts";

/** What may be allowed beyond looking. */
const ALLOWED = ["cancel"] as const;

/** The port of a command line; undefined if it is none. */
export function readPort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return port <= 65_535 ? port : undefined;
}

/**
 * What `--allow` says.
 *
 * @throws {@link CommandError} with exit code 2 if it is nothing that can be allowed
 */
export function readAllowed(text: string | undefined): ReadonlyArray<(typeof ALLOWED)[number]> {
  return text === undefined ? [] : [choose("--allow", text, ALLOWED)];
}
