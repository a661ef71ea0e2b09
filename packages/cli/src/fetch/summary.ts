// The last words of a run, for people. Pure.

import { formatBytes, formatCount, formatMs, plural } from "../output/format.ts";
import type { Statistics } from "./statistics.ts";

const SHOWN_ERRORS = 5;

export interface SummaryOptions {
  /** The signal that stopped the run, or what else did. */
  readonly stoppedBy?: string | undefined;
}

/** Three or four lines, each ended. */
export function renderSummary(statistics: Statistics, { stoppedBy }: SummaryOptions = {}): string {
  const { ok, failed, retries, bytes, read, elapsedMs } = { ...statistics.snapshot() };
  const perSecond = (ok + failed) / Math.max(elapsedMs / 1_000, 0.001);
  const head = [`${formatCount(ok)} ok`, `${formatCount(failed)} failed`, formatBytes(bytes)];
  const speed = `${formatMs(elapsedMs)}  ${perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond)} URLs/s`;
  const lines = [
    `${head.join("  ")}  in ${speed}${retries === 0 ? "" : `  ${plural(retries, "retry").replace("retrys", "retries")}`}`,
  ];
  const latency = latencyOf(statistics);
  if (latency !== undefined) lines.push(`answers: ${latency}`);
  if (statistics.errors.size > 0) lines.push(`errors:  ${errorsOf(statistics)}`);
  if (stoppedBy !== undefined) {
    const left = read - ok - failed;
    const rest = left === 0 ? "" : `: ${plural(left, "URL")} not started`;
    lines.push(`stopped by ${stoppedBy}${rest}${statistics.isTotal ? "" : ", the list not read to its end"}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function latencyOf({ durations }: Statistics): string | undefined {
  const shares = [50, 95, 99].map((share) => [share, durations.percentile(share / 100)] as const);
  const texts = shares.map(([share, ms]) => (ms === undefined ? "" : `p${share} ${formatMs(ms)}`));
  return texts[0] === "" ? undefined : texts.join("  ");
}

function errorsOf({ errors }: Statistics): string {
  const sorted = [...errors].toSorted(([, one], [, other]) => other - one);
  const shown = sorted.slice(0, SHOWN_ERRORS).map(([code, count]) => `${code} ${formatCount(count)}`);
  const rest = sorted.slice(SHOWN_ERRORS).reduce((sum, [, count]) => sum + count, 0);
  return [...shown, ...(rest === 0 ? [] : [`others ${formatCount(rest)}`])].join("  ");
}
