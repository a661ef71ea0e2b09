// Functions of the user that are called and not waited for.

import { reportSuppressed } from "meanwhile/lowlevel";

/** Calls one. What it throws, or rejects with, is reported as a warning and changes nothing. */
export function callSafely<A>(callback: (argument: A) => unknown, argument: A, where: string): void {
  try {
    const returned = callback(argument);
    if (typeof returned !== "object" || returned === null || !("then" in returned)) return;
    Promise.resolve(returned).catch((error: unknown) => reportSuppressed(error, where));
  } catch (error) {
    reportSuppressed(error, where);
  }
}
