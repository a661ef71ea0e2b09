// Is it a semaphore?

import { permitRules, type PermitSource } from "./permits.ts";
import { checkRules, type ConformanceOptions, type ConformanceReport, type Rule } from "./rules.ts";

/** How many permits those that are checked have. */
const CAPACITIES = [1, 2, 3];

/**
 * Checks that something is a semaphore, or a limiter that works like one: it gives out as many permits as it has, in the
 * order they were asked for; nobody overtakes; a caller that is cancelled holds nothing and takes nothing with it; every
 * `acquire` is a checkpoint. Each rule is tried under many schedules. No caller asks for a second permit while it holds one,
 * so it works for those that know their holders by the task, too.
 *
 * Cancellation: reaches the rule that is being tried.
 *
 * @param create - makes a new semaphore with so many permits
 * @throws {@link TestError} `MW_ERR_RULE_BROKEN` with the properties `rule` and `seed`; `cause` is what was seen
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad option
 *
 * @example
 * ```ts
 * import { CapacityLimiter, Semaphore } from "meanwhile";
 * import { checkSemaphore } from "meanwhile/testing";
 *
 * await checkSemaphore((permits) => new Semaphore(permits));
 * await checkSemaphore((tokens) => new CapacityLimiter(tokens));
 * ```
 */
export async function checkSemaphore(
  create: (permits: number) => PermitSource,
  options: ConformanceOptions = {},
): Promise<ConformanceReport> {
  const rulesOf = (): Rule[] => CAPACITIES.flatMap((capacity) => permitRules(() => create(capacity), capacity));
  return await checkRules({ name: "checkSemaphore", what: "semaphore", create, rulesOf }, options);
}
