// Fetches a list of URLs of which one in ten meets a fault, and compares the records with the list.

import type { FailureCode } from "../../src/fetch/record.ts";
import { startCli } from "./cli.ts";
import { CODES, type Counted, type FaultKind, FaultyHosts, IDLE_MS } from "./faulty-hosts.ts";

const ALWAYS = 9;
/** More requests at once to one host than this are too many. */
export const PER_HOST = 4;

export interface AmongFaultsOptions {
  readonly urls: number;
  readonly hosts: number;
  readonly retries: number;
  /** Longer than this is for ever. */
  readonly limitMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

export interface AmongFaults extends Counted {
  readonly isHanging: boolean;
  readonly exit: unknown;
  /** URLs without exactly one record. */
  readonly lost: number;
  /** Records of no URL, and second ones of one. */
  readonly excess: number;
  /** Records that do not say what has happened. */
  readonly wrong: readonly string[];
  /** URLs that were to meet a fault. */
  readonly faults: number;
  readonly ms: number;
}

interface Planned {
  readonly kind: FaultKind;
  readonly times: number;
}

// Most are over after one attempt, some after two. That the session sends a request once more where a kept connection was
// reset is part of an attempt.
const KINDS: readonly FaultKind[] = [
  "late",
  "reset",
  "reset-body",
  "short",
  "drip",
  "silence",
  "unavailable",
  "too-many",
  "garbage",
];
const NEVER_OVER: ReadonlySet<FaultKind> = new Set<FaultKind>(["reset", "reset-body", "short", "garbage"]);

function plan(number: number, hosts: FaultyHosts, { random, retries }: AmongFaultsOptions): Planned {
  if (hosts.isDead(number)) return { kind: "refused", times: ALWAYS };
  if (random() >= 0.09) return { kind: "fine", times: 0 };
  const kind = KINDS[Math.floor(random() * KINDS.length)] ?? "late";
  const isAlways = NEVER_OVER.has(kind) && random() < 0.2;
  return { kind, times: isAlways ? ALWAYS : Math.min(retries, 1 + Math.floor(random() * 1.3)) };
}

/** Runs `meanwhile fetch` once over all URLs. */
export async function fetchAmongFaults(options: AmongFaultsOptions): Promise<AmongFaults> {
  const { urls, retries, limitMs } = options;
  await using hosts = await FaultyHosts.start(options.hosts);
  const plans = Array.from({ length: urls }, (_, number) => plan(number, hosts, options));
  const input = plans.map(({ kind, times }, number) => `${hosts.urlOf(number, kind, times)}\n`).join("");
  const limits = [
    "-c",
    "100",
    "--per-host",
    `${PER_HOST}`,
    "--retries",
    `${retries}`,
    "--idle-timeout",
    `${IDLE_MS}ms`,
  ];
  const started = performance.now();
  const { child, ended } = startCli(["fetch", "-", "-q", ...limits], { input });
  const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
  const { exit, records } = await ended;
  clearTimeout(timer);
  const found = new Map<number, FailureCode | undefined>();
  for (const { index, ok, error } of records) if (ok || error !== undefined) found.set(index, error?.code);
  const numbers = [...plans.keys()];
  return {
    ...hosts.counted,
    isHanging: exit === "SIGKILL",
    exit,
    lost: numbers.filter((number) => !found.has(number + 1)).length,
    excess: records.length - numbers.filter((number) => found.has(number + 1)).length,
    wrong: plans.flatMap((planned, number) => wrongly(planned, found.get(number + 1), retries)),
    faults: plans.filter(({ kind }) => kind !== "fine").length,
    ms: performance.now() - started,
  };
}

function wrongly({ kind, times }: Planned, code: FailureCode | undefined, retries: number): string[] {
  // What is not HTTP is not tried again.
  const isFailure = CODES[kind].length > 0 && (times > retries || kind === "garbage");
  const isRight = isFailure ? code !== undefined && CODES[kind].includes(code) : code === undefined;
  return isRight ? [] : [`${kind} ${times}: ${code ?? "ok"}`];
}
