// Functions of the user that are called and not waited for.

/** Calls one. What it throws, or rejects with, goes to `report` and changes nothing. */
export function callSafely<A>(callback: (argument: A) => unknown, argument: A, report: (error: unknown) => void): void {
  try {
    const returned = callback(argument);
    if (typeof returned !== "object" || returned === null || !("then" in returned)) return;
    Promise.resolve(returned).catch(report);
  } catch (error) {
    report(error);
  }
}
