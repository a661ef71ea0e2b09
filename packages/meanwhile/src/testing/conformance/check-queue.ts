// Is it a queue?

import { badArgument } from "../../util/arguments.ts";
import type { QueueLike, QueueOrder } from "./queue-model.ts";
import { queueRules } from "./queue-rules.ts";
import { checkRules, type ConformanceOptions, type ConformanceReport, type Rule } from "./rules.ts";

const ORDERS: readonly QueueOrder[] = ["oldest", "newest", "smallest"];

/** Options of {@link checkQueue}. */
export interface CheckQueueOptions extends ConformanceOptions {
  /** Which of the queued items comes next: the `oldest`, the `newest` or the `smallest`. Default: `oldest`. */
  readonly order?: QueueOrder | undefined;
}

/**
 * Checks that something is a queue: it gives its items in order and holds no more than its size; puts and gets are served in
 * the order they asked, and nobody overtakes; a call that is cancelled adds nothing and takes nothing; every `put` and `get`
 * is a checkpoint. What the queue has of `tryPut` and `tryGet`, `close` and `statistics` is checked too. Each rule is tried
 * under many schedules.
 *
 * Cancellation: reaches the rule that is being tried.
 *
 * @param create - makes a new queue of numbers that holds at most `maxSize` items
 * @throws {@link TestError} `MW_ERR_RULE_BROKEN` with the properties `rule` and `seed`; `cause` is what was seen
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad option
 *
 * @example
 * ```ts
 * import { LifoQueue, Queue } from "meanwhile";
 * import { checkQueue } from "meanwhile/testing";
 *
 * await checkQueue((maxSize) => new Queue<number>({ maxSize }));
 * await checkQueue((maxSize) => new LifoQueue<number>({ maxSize }), { order: "newest" });
 * ```
 */
export async function checkQueue(
  create: (maxSize: number) => QueueLike,
  options: CheckQueueOptions = {},
): Promise<ConformanceReport> {
  const rulesOf = (): Rule[] => {
    const { order = "oldest" } = options;
    if (!ORDERS.includes(order)) throw badArgument("check a queue", "order", order, `one of ${ORDERS.join(", ")}`);
    return queueRules(create, order);
  };
  return await checkRules({ name: "checkQueue", what: "queue", options: ["order"], create, rulesOf }, options);
}
