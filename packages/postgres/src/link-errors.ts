// Why a link cannot do what it is asked to.

import { isServerError } from "./dial-failure.ts";
import { withoutPasswords } from "./error-privacy.ts";
import { ConnectionLostError, PostgresError } from "./errors.ts";
import type { Operation } from "./operation.ts";
import { quoted } from "./statement-text.ts";

/** It was closed, by us. */
export function closedLink(): PostgresError {
  return new PostgresError("MW_ERR_PG_CLOSED", "Cannot use the connection: it was closed; acquire another one");
}

/** Something runs on it already. */
export function linkIsBusy(operation: Operation<unknown>, running: Operation<unknown>): PostgresError {
  return new PostgresError(
    "MW_ERR_PG_BUSY",
    `Cannot run ${quoted(operation.text)}: the connection is running ${quoted(running.text)}; await that first, or take another connection for what goes on at the same time`,
  );
}

/** It has ended, and nobody here wanted it to. */
export function lostLink(operation: Operation<unknown> | null, cause: Error | null): ConnectionLostError {
  const failure = operation?.failure ?? cause;
  const isSaid = isServerError(failure);
  const why = isSaid
    ? `the server ended the connection: ${failure.message}`
    : `the connection was lost${codeOf(cause)}`;
  const doing = operation === null ? "use the connection" : `run ${quoted(operation.text)}`;
  return new ConnectionLostError(doing, why, {
    ...(operation === null ? {} : { statement: withoutPasswords(operation.text) }),
    ...(isSaid && failure.code !== undefined ? { sqlstate: failure.code } : {}),
    ...(cause === null || isSaid ? {} : { cause }),
  });
}

function codeOf(error: Error | null): string {
  return error !== null && "code" in error && typeof error.code === "string" ? ` (${error.code})` : "";
}
