// Whether a worker begins a job: what it makes of a text from the queue, and what speaks against it.

import { decodeValue } from "./decode.ts";
import { type Entry, KIND } from "./encode.ts";
import type { Taken, Verdict } from "./engine.ts";
import { ClusterError } from "./errors.ts";
import type { Owners } from "./owners.ts";
import { GONE } from "./running-job.ts";
import type { Seal } from "./seal.ts";
import type { ServeSettings } from "./serve-options.ts";
import type { ServerClock } from "./server-clock.ts";
import type { Verdicts } from "./verdicts.ts";
import { HEAD_BYTES, type JobHead, readJob } from "./wire.ts";
import { lostBefore, notServed, tooLarge } from "./worker-errors.ts";

/** How long after its deadline a job is cancelled here: it is the client that does it, if it can. */
const BELT_MS = 250;

/** What a worker knows that decides on jobs. */
export interface Grounds {
  readonly settings: ServeSettings;
  readonly seal: Seal;
  readonly owners: Owners;
  readonly clock: ServerClock;
  readonly verdicts: Verdicts;
}

/** The terms of a job. @throws if it was not written by a client of this queue */
export function readHead({ settings, seal }: Grounds, { id, text }: Taken): { head: JobHead; args: unknown } {
  const { queue, maxPayloadBytes } = settings;
  if (Buffer.byteLength(text) > maxPayloadBytes + HEAD_BYTES)
    throw tooLarge("run a job", "maxPayloadBytes", maxPayloadBytes);
  return readJob(seal.open(`job ${queue} ${id}`, text));
}

/** The arguments of a job. @param table - as `readHead` gives them @throws if they are none */
export function readArguments(table: unknown): unknown {
  // A list with holes may be longer than anything that is there.
  if ((table as Entry[] | undefined)?.[0]?.[0] !== KIND.array)
    throw new ClusterError("MW_ERR_CLUSTER_REFUSED", "Cannot run a job: its arguments are no list");
  return decodeValue(table);
}

/** Why a job is not begun; null if it is. */
export async function whyNot(grounds: Grounds, head: JobHead, { id, losses }: Taken): Promise<Verdict | null> {
  const { settings, owners, verdicts } = grounds;
  const { functions } = settings;
  if (functions !== null && !functions.includes(head.name)) return verdicts.failed(id, notServed(head.name, settings));
  if (losses > 0 && !head.isIdempotent) return verdicts.failed(id, lostBefore(head.name));
  const hasBegun = losses > 0;
  if (head.isOwned && !(await owners.isThere(head.client)))
    return verdicts.cancelled(id, GONE, { isOrphan: true, hasBegun });
  if (head.isWithdrawn === true)
    return verdicts.cancelled(id, "it was cancelled before it began", { isOrphan: false, hasBegun });
  if ((await msLeft(grounds, head)) <= 0)
    return verdicts.cancelled(id, "its time was up before it began", { isOrphan: false, hasBegun });
  return null;
}

/** After how long a job is cancelled here. Before its time is up, the clock of the server is looked at once more. */
export async function msLeft({ clock }: Grounds, { deadline }: JobHead): Promise<number> {
  if (deadline === null) return Infinity;
  const ms = clock.msUntil(deadline) + BELT_MS;
  if (ms > 0) return ms;
  await clock.read().catch(ignore);
  return clock.msUntil(deadline) + BELT_MS;
}

function ignore(): void {}
