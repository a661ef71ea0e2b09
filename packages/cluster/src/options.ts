// The options of both sides, checked.

import { createSecretKey, type KeyObject } from "node:crypto";
import { hostname } from "node:os";
import { inspect } from "node:util";

import { retrying, type RetryPolicy } from "meanwhile";

import type { KeepSettings, QueueSettings } from "./engine.ts";
import { ClusterError } from "./errors.ts";

/** Options that clients and workers of a queue have to agree on. */
export interface QueueOptions {
  /** The name of the queue. Everything of one queue is apart from every other. */
  readonly queue: string;
  /**
   * Signs jobs, their ends, their progress and cancellations (HMAC-SHA256), each for its queue and its job; what is not signed
   * with the same secret is refused. What is signed can be repeated by whoever has seen it, ends of an idempotency key only as
   * long as ends are kept (`keepMs`). Not signed is which clients are there and what the queue says of jobs: whoever can write
   * to it can drop jobs, or have them cancelled as those of a client that is gone. Nothing is encrypted: use `rediss:` or
   * `sslmode=require` for that. At least 16 bytes. Default: none.
   */
  readonly secret?: string | Uint8Array | undefined;
  /** How many bytes the arguments of a job may be as text. Default: 1 MiB. */
  readonly maxPayloadBytes?: number | undefined;
  /** How many bytes a result may be as text. Default: 1 MiB. */
  readonly maxResultBytes?: number | undefined;
  /** After how many milliseconds of silence a worker, or a client, counts as lost; at least 1 000. Default: 30 000. */
  readonly lostAfterMs?: number | undefined;
  /** How long it may take to connect, in milliseconds. Default: 10 000. */
  readonly connectTimeoutMs?: number | undefined;
}

/** Options of {@link connectCluster}. */
export interface ClusterOptions extends QueueOptions {
  /** How long the end of a job is kept, in milliseconds: for a client that was cut off, and for idempotency keys. Default: an hour. */
  readonly keepMs?: number | undefined;
  /** How many ended jobs are kept at most; on PostgreSQL that is looked at every half a minute. Default: 100 000. */
  readonly keepJobs?: number | undefined;
  /** Whether a job may begin again after its worker was lost; else it fails. Default: true, each job begins at least once. */
  readonly isIdempotent?: boolean | undefined;
  /** What becomes of jobs whose client is gone, killed or cut off. Default: `"cancel"`. */
  readonly orphans?: "cancel" | "finish" | undefined;
  /** How many milliseconds a cancelled job may take to end; then its thread is ended. Default: 1 000. */
  readonly graceMs?: number | undefined;
  /** What `call`, `map` and `start` do about errors of the function. Default: they throw them. */
  readonly retry?: RetryPolicy | undefined;
  /** How many jobs may be under way; if there is no room `call` waits for it, and `start` throws. Default: `Infinity`. */
  readonly maxQueued?: number | undefined;
  /**
   * After how many milliseconds a job that is not heard of is looked at; at least 10. The longer it takes the less often that
   * is, but every 30 seconds. Default: 1 000.
   */
  readonly pollMs?: number | undefined;
  /** After how long without the server all jobs fail, in milliseconds. Default: 60 000. */
  readonly unreachableMs?: number | undefined;
  /** The name of the cluster, for errors and dumps. Default: that of the queue. */
  readonly name?: string | undefined;
}

/** What both sides know. */
export interface CommonSettings extends QueueSettings {
  readonly secret: KeyObject | null;
  readonly maxPayloadBytes: number;
  readonly maxResultBytes: number;
  readonly host: string;
}

/** The options of a client with their defaults. */
export interface ClientSettings extends CommonSettings, KeepSettings {
  readonly isIdempotent: boolean;
  readonly orphans: "cancel" | "finish";
  readonly graceMs: number;
  readonly retry: RetryPolicy | null;
  readonly maxQueued: number;
  readonly pollMs: number;
  readonly unreachableMs: number;
  readonly name: string;
}

const COMMON = [
  "queue",
  "secret",
  "maxPayloadBytes",
  "maxResultBytes",
  "lostAfterMs",
  "connectTimeoutMs",
] satisfies Array<keyof QueueOptions>;

const CLIENT = [
  ...COMMON,
  "keepMs",
  "keepJobs",
  "isIdempotent",
  "orphans",
  "graceMs",
  "retry",
  "maxQueued",
  "pollMs",
  "unreachableMs",
  "name",
] satisfies Array<keyof ClusterOptions>;

const MIB = 2 ** 20;
/** Timers and servers know no longer ones: 25 days are as good as for ever. */
const LONGEST_MS = 2 ** 31 - 1;

/** Checks the options both sides have. */
export function checkCommon(what: string, options: QueueOptions, own: readonly string[] = []): CommonSettings {
  if (typeof options !== "object" || options === null)
    throw badOption(what, "options", options, "an object with 'queue'");
  checkNames(what, options, [...COMMON, ...own]);
  const { queue, secret } = options;
  if (typeof queue !== "string" || !/^[\w.-]{1,100}$/.test(queue))
    throw badOption(what, "queue", queue, "a name of at most 100 letters, digits, '_', '-' and '.'");
  return {
    queue,
    secret: secret === undefined ? null : keyOf(what, secret),
    maxPayloadBytes: count(what, "maxPayloadBytes", options.maxPayloadBytes ?? MIB, 1),
    maxResultBytes: count(what, "maxResultBytes", options.maxResultBytes ?? MIB, 1),
    lostAfterMs: Math.min(LONGEST_MS, duration(what, "lostAfterMs", options.lostAfterMs ?? 30_000, 1_000)),
    connectTimeoutMs: duration(what, "connectTimeoutMs", options.connectTimeoutMs ?? 10_000, 1),
    host: hostname(),
  };
}

/** Checks the options of a client. */
export function checkClient(options: ClusterOptions): ClientSettings {
  const what = "connect to a cluster";
  const common = checkCommon(what, options, CLIENT);
  const { isIdempotent = true, orphans = "cancel", retry, name = common.queue } = options;
  if (typeof isIdempotent !== "boolean") throw badOption(what, "isIdempotent", isIdempotent, "true or false");
  if (orphans !== "cancel" && orphans !== "finish") throw badOption(what, "orphans", orphans, '"cancel" or "finish"');
  if (retry !== undefined) checkRetry(what, retry);
  if (typeof name !== "string") throw badOption(what, "name", name, "a text");
  return {
    ...common,
    isIdempotent,
    orphans,
    name,
    retry: retry ?? null,
    keepMs: duration(what, "keepMs", options.keepMs ?? 3_600_000, 1_000),
    keepJobs: count(what, "keepJobs", options.keepJobs ?? 100_000, 1),
    graceMs: duration(what, "graceMs", options.graceMs ?? 1_000, 0),
    maxQueued: count(what, "maxQueued", options.maxQueued ?? Infinity, 1),
    pollMs: duration(what, "pollMs", options.pollMs ?? 1_000, 10),
    unreachableMs: duration(what, "unreachableMs", options.unreachableMs ?? 60_000, 1),
  };
}

function checkRetry(what: string, policy: RetryPolicy): void {
  try {
    retrying(nothing, policy);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ClusterError("MW_ERR_CLUSTER_INVALID_ARGUMENT", `Cannot ${what}: 'retry' is no policy: ${why}`, {
      cause,
    });
  }
}

function nothing(): void {}

function keyOf(what: string, secret: unknown): KeyObject {
  const bytes = typeof secret === "string" ? Buffer.from(secret) : secret;
  if (bytes instanceof Uint8Array && bytes.length >= 16) return createSecretKey(bytes);
  // The secret itself must be in no message.
  throw new ClusterError(
    "MW_ERR_CLUSTER_INVALID_ARGUMENT",
    `Cannot ${what}: 'secret' is no text or Uint8Array of at least 16 bytes; pass one`,
  );
}

/** An integer, or `Infinity`. */
export function count(what: string, key: string, value: unknown, least: number): number {
  if (typeof value === "number" && value >= least && (Number.isSafeInteger(value) || value === Infinity)) return value;
  throw badOption(what, key, value, `an integer >= ${least}`);
}

/** Milliseconds, or `Infinity`. */
export function duration(what: string, key: string, value: unknown, least: number): number {
  if (typeof value === "number" && value >= least) return value;
  throw badOption(what, key, value, `milliseconds >= ${least}, or Infinity`);
}

/** Refuses an option that there is not: it would be as if nothing had been given. */
export function checkNames(what: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new ClusterError(
    "MW_ERR_CLUSTER_INVALID_ARGUMENT",
    `Cannot ${what}: there is no option ${inspect(unknown)}; there are ${[...new Set(known)].join(", ")}`,
  );
}

/** The error for an argument that cannot be used. */
export function badOption(what: string, parameter: string, value: unknown, wanted: string): ClusterError {
  const shown = inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 80 });
  return new ClusterError(
    "MW_ERR_CLUSTER_INVALID_ARGUMENT",
    `Cannot ${what}: '${parameter}' is ${shown}; pass ${wanted}`,
  );
}
