// Promises that nobody awaits any more because their owner was cancelled.

import { cancellationOf } from "meanwhile/lowlevel";

/**
 * `const a = f(); await b; await a`: cancelled at `b`, the function never comes to `a`, and the cancellation of `f` would
 * be an unhandled rejection, which ends the process. It has been told everybody it concerns. Every other error goes its
 * way: Node sees it as it would without this.
 */
export function silenceCancellations(): void {
  const emit = process.emit.bind(process) as (...given: unknown[]) => boolean;
  Object.defineProperty(process, "emit", {
    value: (...given: unknown[]): boolean =>
      (given[0] === "unhandledRejection" && cancellationOf(given[1]) !== null) || emit(...given),
    configurable: true,
    writable: true,
  });
}
