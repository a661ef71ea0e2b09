// Locks, queues and pools for which somebody has waited too long.

import { type Finding, type Look, MOST_ASKED, MOST_NAMED, seconds } from "./findings.ts";
import { labelOf, resourceId, type TaskRow } from "./state.ts";

/** Locks, queues and pools whose longest waiter has waited for long. */
export async function stuckResources(look: Look, lockHolders: LockHolders): Promise<Finding[]> {
  const { memory, rows, now, limits, program } = look;
  const waiting = rows.filter((row) => row.activity === "waiting" && resourceId(memory, row.target) !== null);
  const groups = Map.groupBy(waiting, ({ target }) => target);
  const { resources: told } = await program.askAboutResources([...groups.keys()].slice(0, MOST_ASKED));
  const findings: Finding[] = [];
  for (const [target, members] of groups) {
    const resource = told.get(target);
    if (resource === undefined) continue;
    const waiters = members.toSorted((one, other) => one.sinceMs - other.sinceMs);
    const since = waiters[0]?.sinceMs ?? now;
    const kind = kindOfResource(labelOf(memory, target), resource.description);
    if (kind === null) continue;
    const from = kind === "lock-held" ? Math.max(since, lockHolders.since(target, resource.holders, now)) : since;
    const limit = {
      "lock-held": limits.lockHeldMs,
      "queue-stuck": limits.queueStuckMs,
      "pool-exhausted": limits.poolExhaustedMs,
    }[kind];
    if (now - from <= limit) continue;
    const id = resourceId(memory, target);
    findings.push({
      key: `${kind} ${id}`,
      kind,
      ...textOf(kind, resource.description, waiters.length, now - from),
      ...whose(resource.holders, waiters),
      place: null,
      resource: id,
      sinceMs: from,
    });
  }
  return findings;
}

type ResourceKind = "lock-held" | "queue-stuck" | "pool-exhausted";

function kindOfResource(label: string, description: string): ResourceKind | null {
  if (label.startsWith("Lock.")) return "lock-held";
  if (/Queue\.(?:get|put)$/u.test(label)) return "queue-stuck";
  const isPool =
    /^(?:Semaphore|BoundedSemaphore|CapacityLimiter)\./u.test(label) || /\(all \d+ are in use\)$/u.test(description);
  return isPool ? "pool-exhausted" : null;
}

function textOf(
  kind: ResourceKind,
  description: string,
  waiters: number,
  ms: number,
): Pick<Finding, "severity" | "message" | "remedy"> {
  const who = waiters === 1 ? "a task waits" : `${waiters} tasks wait`;
  const message = `For ${seconds(ms)} ${who} for ${description}`;
  if (kind === "lock-held") {
    return {
      severity: "warning",
      message,
      remedy: "hold a lock only for what needs it: do the slow wait before, or after giving it back",
    };
  }
  if (kind === "queue-stuck") {
    const isFull = /\.put/u.test(description);
    const remedy = isFull
      ? "more tasks that get, or fewer that put; close the queue when nobody gets any more"
      : "close the queue when nothing more will be put, so that those who get can end";
    return { severity: isFull ? "warning" : "info", message, remedy };
  }
  return {
    severity: "warning",
    message,
    remedy: "give back what is not in use, with `using`; a larger limit helps only if what is held is in use",
  };
}

function whose(holders: readonly number[], waiters: readonly TaskRow[]): Pick<Finding, "tasks"> {
  return { tasks: [...holders, ...waiters.map(({ id }) => id)].slice(0, MOST_NAMED) };
}

/** Since when locks are held by whom: seen from outside, at each look. */
export class LockHolders {
  readonly #seen = new Map<number, { readonly holders: string; readonly since: number }>();

  /** Since when at least the target is held by these. */
  since(target: number, holders: readonly number[], now: number): number {
    const key = holders.join(" ");
    const known = this.#seen.get(target);
    if (known?.holders === key) return known.since;
    this.#seen.set(target, { holders: key, since: now });
    return now;
  }
}
