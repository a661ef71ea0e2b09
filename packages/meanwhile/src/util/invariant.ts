// "This cannot happen": a check that stays in published code because the price is one branch.

import { InternalError } from "../errors.ts";

/** Throws an {@link InternalError} unless `condition` holds. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InternalError(message);
}
