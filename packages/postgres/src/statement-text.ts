// How a statement is shown: in one line, not too long, and with no password in it.

import { withoutPasswords } from "./error-privacy.ts";

const LONGEST = 60;

/** For the line of an error: in quotes. */
export function quoted(text: string): string {
  return `"${shortened(text)}"`;
}

/** The same without quotes. */
export function shortened(text: string, longest: number = LONGEST): string {
  const line = withoutPasswords(text).trim().replaceAll(/\s+/g, " ");
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
