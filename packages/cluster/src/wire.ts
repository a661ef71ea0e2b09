// What clients and workers say to each other. Every text is a JSON object, signed if there is a secret (seal.ts).
//
// Nothing here names code: a job is the name of a function that the module of the worker exports, and its arguments.

import type { RemoteJob } from "meanwhile/lowlevel";

import { ClusterError, type WorkerIdentity } from "./errors.ts";
import { isLookPart, type LookPart, type Looks, readLooks } from "./look-wire.ts";

/** Changes when a side would no longer understand the other one. */
export const VERSION = 1;
/** How much longer a text may be than the arguments or the result in it. */
export const HEAD_BYTES = 8_192;

/** The terms of a job, as its worker is told them. */
export interface JobHead {
  readonly name: string;
  /** Whether it is the function for each item of the argument. */
  readonly isEach: boolean;
  /** Who waits for it. */
  readonly client: string;
  /** Whether others may wait for it too: it has an idempotency key. */
  readonly isShared: boolean;
  /** Whether it may begin again after its worker was lost. */
  readonly isIdempotent: boolean;
  /** Whether it is cancelled when its client is gone. */
  readonly isOwned: boolean;
  readonly wantsProgress: boolean;
  /** Null for endless: JSON knows no `Infinity`. */
  readonly graceMs: number | null;
  /** When it is cancelled, by the clock of the server; null for never. */
  readonly deadline: number | null;
  /** Whether whoever has put it into the queue wants it no more; it was not begun, and others of the same key may want it. */
  readonly isWithdrawn?: boolean;
}

/** How a job has ended. */
export type Outcome = OutcomeOf & {
  /** When, by the clock of the server; null if nobody knows. */
  readonly at?: number | null;
};

type OutcomeOf =
  | { readonly kind: "value"; readonly worker: WorkerIdentity; readonly ms: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly worker: WorkerIdentity; readonly value: unknown }
  | {
      readonly kind: "cancelled";
      readonly worker: WorkerIdentity;
      readonly why: string;
      /** Whether it was because its client seemed to be gone. */
      readonly isOrphan: boolean;
      /** Whether the function was called. */
      readonly hasBegun: boolean;
    };

/** What goes to a client: that jobs have ended, or are under way. Only a hint: the job itself tells the truth. */
export type ToClient =
  | { readonly kind: "ended"; readonly id: string; readonly text: string | null }
  | { readonly kind: "progress"; readonly id: string; readonly text: string }
  | LookPart;

/** Reads what went to a client: it may come from anybody, and what is no such message is as if it had not come. */
export function readToClient(text: string): ToClient[] {
  try {
    const messages: unknown = JSON.parse(text);
    return Array.isArray(messages) ? messages.filter(isToClient) : [];
  } catch {
    return [];
  }
}

function isToClient(message: unknown): message is ToClient {
  if (typeof message !== "object" || message === null) return false;
  const { kind, id, text } = message as { kind?: unknown; id?: unknown; text?: unknown };
  if (typeof id !== "string") return false;
  if (kind === "ended") return typeof text === "string" || text === null;
  return kind === "progress" ? typeof text === "string" : isLookPart(message);
}

/** What goes to all workers. */
export interface ToWorkers {
  readonly cancel: ReadonlyArray<readonly [id: string, why: string]>;
  /** The jobs that somebody looks at; null for none. */
  readonly looks: Looks | null;
}

/** The text of a job. @param args - as `encodeValue` made them */
export function writeJob(head: JobHead, args: string): string {
  return `{"v":${VERSION},"head":${JSON.stringify(head)},"args":${args}}`;
}

/** Reads a job. Its arguments are still a table. */
export function readJob(text: string): { head: JobHead; args: unknown } {
  const { head, args } = read(text);
  if (typeof (head as JobHead | undefined)?.name !== "string") throw unreadable();
  return { head: head as JobHead, args };
}

/** The text of an outcome. @param value - as `encodeValue` made it */
export function writeOutcome(outcome: Outcome, value: string | null): string {
  const { value: _left, ...rest } = outcome as Outcome & { value?: unknown };
  return `{"v":${VERSION},"outcome":${JSON.stringify(rest)},"value":${value ?? "null"}}`;
}

/** Reads an outcome. Its value is still a table. */
export function readOutcome(text: string): Outcome {
  const { outcome, value } = read(text);
  if (!isOutcome(outcome)) throw unreadable();
  return { ...outcome, value } as Outcome;
}

function isOutcome(outcome: unknown): outcome is Outcome {
  if (typeof outcome !== "object" || outcome === null) return false;
  const { kind, worker, at = null, ...rest } = outcome as Partial<Record<keyof CancelledOutcome | "at", unknown>>;
  const { id, host } = (worker ?? {}) as Partial<Record<string, unknown>>;
  if (typeof id !== "string" || typeof host !== "string") return false;
  if (at !== null && typeof at !== "number") return false;
  return kind === "value" || kind === "failure" || (kind === "cancelled" && isCancelled(rest));
}

type CancelledOutcome = Extract<Outcome, { kind: "cancelled" }>;

function isCancelled({ why, isOrphan, hasBegun }: Partial<Record<keyof CancelledOutcome, unknown>>): boolean {
  return typeof why === "string" && typeof isOrphan === "boolean" && typeof hasBegun === "boolean";
}

/** The text of a value on its own. */
export function writeProgress(value: string): string {
  return `{"v":${VERSION},"value":${value}}`;
}

/** Reads a value; it is still a table. */
export function readProgress(text: string): unknown {
  return read(text)["value"];
}

/** The text of what goes to all workers. */
export function writeToWorkers({ cancel }: Pick<ToWorkers, "cancel">): string {
  return `{"v":${VERSION},"cancel":${JSON.stringify(cancel)}}`;
}

/** Reads what went to all workers. */
export function readToWorkers(text: string): ToWorkers {
  const { cancel, looks } = read(text);
  if (!Array.isArray(cancel)) throw unreadable();
  if (!cancel.every((one) => Array.isArray(one) && typeof one[0] === "string" && typeof one[1] === "string"))
    throw unreadable();
  return { cancel: cancel as ToWorkers["cancel"], looks: readLooks(looks) };
}

/** The text of what a worker says of a job that somebody looks at. */
export function writeLook(job: RemoteJob): string {
  return JSON.stringify({ v: VERSION, job });
}

/** Reads what a worker says of a job. It is an object, and that is all that is certain. */
export function readLook(text: string): object {
  const { job } = read(text);
  if (typeof job !== "object" || job === null) throw unreadable();
  return job;
}

function read(text: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw unreadable(error);
  }
  if (typeof parsed !== "object" || parsed === null) throw unreadable();
  const { v } = parsed as { v?: unknown };
  if (v !== VERSION) throw unreadable();
  return parsed as Record<string, unknown>;
}

function unreadable(cause?: unknown): ClusterError {
  return new ClusterError(
    "MW_ERR_CLUSTER_REFUSED",
    "Cannot take what came over the queue: it was not written by this version of @meanwhile/cluster",
    { cause },
  );
}
