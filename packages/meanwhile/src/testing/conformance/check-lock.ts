// Is it a lock?

import { permitRules, type PermitSource } from "./permits.ts";
import { checkRules, type ConformanceOptions, type ConformanceReport, type Rule } from "./rules.ts";

/**
 * Checks that something is a lock: it lets one caller in at a time, in the order they asked; nobody overtakes; a caller that
 * is cancelled holds nothing and takes nothing with it; every `acquire` is a checkpoint. Each rule is tried under many
 * schedules. Works for a lock whose holder may not ask again, and for one that knows its holder by the task.
 *
 * Cancellation: reaches the rule that is being tried.
 *
 * @param create - makes a new lock
 * @throws {@link TestError} `MW_ERR_RULE_BROKEN` with the properties `rule` and `seed`; `cause` is what was seen
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad option
 *
 * @example
 * ```ts
 * import { Lock } from "meanwhile";
 * import { checkLock } from "meanwhile/testing";
 *
 * const { rules } = await checkLock(() => new Lock());
 * console.log(rules.includes("serves waiters in the order they asked")); //> true
 * ```
 */
export async function checkLock(
  create: () => PermitSource,
  options: ConformanceOptions = {},
): Promise<ConformanceReport> {
  const rulesOf = (): Rule[] => permitRules(create, 1);
  return await checkRules({ name: "checkLock", what: "lock", create, rulesOf }, options);
}
