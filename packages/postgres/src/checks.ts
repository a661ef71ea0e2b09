// What every check of an argument uses. Nothing has been sent yet when one of these throws.

import { OptionChecks, showKind } from "meanwhile/lowlevel";

import { PostgresError } from "./errors.ts";

/** The error for an argument that cannot be used. */
export function badArgument(name: string, value: unknown, wanted: string): PostgresError {
  return new PostgresError(
    "MW_ERR_PG_INVALID_ARGUMENT",
    `Cannot use '${name}': it is ${showKind(value)}; pass ${wanted}`,
  );
}

/** Checks of options; an option may be left out. */
export const checks: OptionChecks = new OptionChecks(badArgument);
