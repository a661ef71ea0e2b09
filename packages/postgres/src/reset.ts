// Making a connection ready for the next one who gets it.

import { shield } from "meanwhile";

import type { Hook } from "./hooks.ts";
import type { Member } from "./member.ts";
import type { PoolSettled } from "./pool-options.ts";
import { command } from "./statements.ts";
import type { Trace } from "./trace.ts";

const { performance } = globalThis;

/**
 * Rolls back, and undoes what was changed of the session, as far as it is needed. False if the connection cannot be used
 * again. Never throws.
 *
 * Cancellation: safe. It is held back, for `resetTimeoutMs` at most.
 */
export async function makeReady(
  { link, isTouched }: Member,
  { reset, resetTimeoutMs }: PoolSettled,
  trace: Trace,
  call: (hook: Hook) => Promise<unknown>,
): Promise<boolean> {
  const startedAt = performance.now();
  try {
    await shield(
      async () => {
        if (link.transaction !== "none") await link.run(command("rollback"));
        if (typeof reset === "function") await call(reset);
        else if (reset === "always" || (reset === "auto" && isTouched)) await link.run(command(link.resetText));
      },
      { timeoutMs: resetTimeoutMs },
    );
  } catch (error) {
    if (trace.isOn) trace.tell({ kind: "query-error", serverPid: link.pid, statement: "reset", error });
    return false;
  }
  if (trace.isOn) trace.tell({ kind: "reset", serverPid: link.pid, durationMs: performance.now() - startedAt });
  return link.status === "idle" && link.transaction === "none";
}
