// Promises that nobody awaits any more because their owner was cancelled.

import { cancellationOf } from "meanwhile/lowlevel";

/**
 * `const a = f(); await b; await a`: cancelled at `b`, the function never comes to `a`, and the cancellation of `f` would
 * be an unhandled rejection, which ends the process. It has been told everybody it concerns. Every other error goes its
 * way: Node sees it as it would without this.
 */
export function silenceCancellations(): void {
  const emit = process.emit.bind(process) as (...given: unknown[]) => boolean;
  const silenced = new WeakSet<object>();
  const isSilent = ([event, given, promise]: readonly unknown[]): boolean => {
    // Looked at by somebody who comes late: it was not unhandled.
    if (event === "rejectionHandled") return given instanceof Promise && silenced.has(given);
    if (event !== "unhandledRejection" || cancellationOf(given) === null) return false;
    if (promise instanceof Promise) silenced.add(promise);
    return true;
  };
  Object.defineProperty(process, "emit", {
    value: (...given: unknown[]): boolean => isSilent(given) || emit(...given),
    configurable: true,
    writable: true,
  });
}
