// Functions of the user that are called and not waited for.

import { reportSuppressed } from "meanwhile/lowlevel";

/** Reports what an async function rejects with, where only a plain one is expected: nobody else would handle it. */
export function reportRejection(returned: unknown, where: string): void {
  if (typeof returned !== "object" || returned === null || !("then" in returned)) return;
  Promise.resolve(returned).catch((error: unknown) => reportSuppressed(error, where));
}
