// What `meanwhile worker --fetch` serves: one request, made here for a run somewhere else.

import type { ClientSession } from "@meanwhile/http";

import { attempt } from "../attempt.ts";
import { Brakes } from "../brakes.ts";
import type { Outcome } from "../outcome.ts";
import { openRunSession } from "../run-session.ts";
import { Secrets } from "../secrets.ts";
import { parseStatuses } from "../statuses.ts";
import { Target } from "../target.ts";
import type { FarRun, Order } from "./order.ts";

/** How many runs keep their connections here. */
const SESSIONS = 8;
/** It is the run that holds the limits, over all workers. */
const LIMIT = 10_000;

const NO_BRAKES = new Brakes({ maxTotalBytes: Infinity, minFreeBytes: 0 });
const NO_SECRETS = new Secrets([], {});
const sessions = new Map<string, ClientSession>();

/**
 * Makes one request. Failures of the network and of the server are outcomes, not errors.
 *
 * @public
 */
export async function fetchOne({ run, url, method, headers, body, checksum }: Order): Promise<Outcome> {
  const session = await sessionFor(run);
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
async function sessionFor(run: FarRun): Promise<ClientSession> {
  const key = JSON.stringify(run);
  const known = sessions.get(key);
  sessions.delete(key);
  const session = known ?? openRunSession({ ...run, concurrency: LIMIT, perHost: LIMIT }, run.session, undefined);
  sessions.set(key, session); // the one that was used last is the last
  if (sessions.size > SESSIONS) await closeOldest();
  return session;
}

async function closeOldest(): Promise<void> {
  for (const [key, session] of sessions) {
    sessions.delete(key);
    return await session.close();
  }
}
