// What `meanwhile worker --fetch` serves: one request, made here for a run somewhere else.

import type { ClientSession } from "@meanwhile/http";
import { shield } from "meanwhile";

import { attempt } from "../attempt.ts";
import { Brakes } from "../brakes.ts";
import type { Outcome } from "../outcome.ts";
import { openRunSession } from "../run-session.ts";
import { Secrets } from "../secrets.ts";
import { parseStatuses } from "../statuses.ts";
import { Target } from "../target.ts";
import type { FarRun, Order } from "./order.ts";

/** How many runs keep their connections here, when they make no requests. */
const SESSIONS = 8;
/** It is the run that holds the limits, over all workers. */
const LIMIT = 10_000;

const NO_BRAKES = new Brakes({ maxTotalBytes: Infinity, minFreeBytes: 0 });
const NO_SECRETS = new Secrets([], {});

/** A session, and how many requests it makes. */
interface Kept {
  readonly session: ClientSession;
  users: number;
}
/** By the run; the one that was used last is the last. */
const sessions = new Map<string, Kept>();

/**
 * Makes one request. Failures of the network and of the server are outcomes, not errors.
 *
 * @public
 */
export async function fetchOne(order: Order): Promise<Outcome> {
  const kept = sessionFor(order.run);
  kept.users += 1;
  try {
    return await fetchIn(kept.session, order);
  } finally {
    kept.users -= 1;
    await shield(closeOldest);
  }
}

async function fetchIn(session: ClientSession, { run, url, method, headers, body, checksum }: Order): Promise<Outcome> {
  const text = typeof body === "string" ? body : undefined;
  const plan = {
    method,
    headers,
    shownHeaders: headers,
    body: text,
    shownBody: text,
    secrets: NO_SECRETS,
    isExposed: false,
  };
  const request = typeof body === "object" ? { body } : {};
  return await attempt(new Target(1, url, new URL(url).origin, request), {
    session,
    plan,
    saver: undefined,
    body: run.body,
    brakes: NO_BRAKES,
    printer: undefined,
    sha256: run.sha256,
    checksum,
    limits: {
      okStatuses: parseStatuses(run.ok) ?? new Set(),
      maxBytes: run.maxBytes,
      timeoutMs: run.timeoutMs,
    },
  });
}

/** One for all requests of a run, and of others that want the same. */
function sessionFor(run: FarRun): Kept {
  const key = JSON.stringify(run);
  const known = sessions.get(key);
  sessions.delete(key);
  const session =
    known?.session ?? openRunSession({ ...run, concurrency: LIMIT, perHost: LIMIT }, run.session, undefined);
  const kept = known ?? { session, users: 0 };
  sessions.set(key, kept);
  return kept;
}

/** Closes those that are too many and make no request: the last request of the others does it. */
async function closeOldest(): Promise<void> {
  for (const [key, { session, users }] of sessions) {
    if (sessions.size <= SESSIONS) return;
    if (users > 0) continue;
    sessions.delete(key);
    await session.close();
  }
}
