// The last words of a run, for people. Pure.

import { escapeControls } from "../output/escape.ts";
import { formatBytes, formatCount, formatMs, plural } from "../output/format.ts";
import type { IoOptions } from "./io-options.ts";
import type { Statistics } from "./statistics.ts";

const SHOWN_ERRORS = 5;
const SHOWN_HOSTS = 3;

export interface SummaryOptions {
  /** The signal that stopped the run, or what else did. */
  readonly stoppedBy?: string | undefined;
}

/** A few lines, each ended. */
export function renderSummary(statistics: Statistics, { stoppedBy }: SummaryOptions = {}): string {
  const { ok, failed, skipped, resumed, retries, bytes, read, elapsedMs } = statistics.snapshot();
  const perSecond = (ok + failed) / Math.max(elapsedMs / 1_000, 0.001);
  const extra = [`${formatCount(skipped)} skipped`, `${formatCount(resumed)} resumed`].filter(
    (text) => !text.startsWith("0 "),
  );
  const head = [`${formatCount(ok)} ok`, `${formatCount(failed)} failed`, ...extra, formatBytes(bytes)];
  const bytesPerSecond = formatBytes(Math.round(bytes / Math.max(elapsedMs / 1_000, 0.001)));
  const urls = perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond);
  const speed = `${formatMs(elapsedMs)}  ${urls} URLs/s  ${bytesPerSecond}/s`;
  const lines = [
    `${head.join("  ")}  in ${speed}${retries === 0 ? "" : `  ${plural(retries, "retry").replace("retrys", "retries")}`}`,
  ];
  const latency = latencyOf(statistics);
  if (latency !== undefined) lines.push(`answers: ${latency}`);
  if (statistics.errors.size > 0) lines.push(`errors:  ${errorsOf(statistics)}`);
  if (statistics.hosts.size > 1) lines.push(`slowest: ${hostsOf(statistics)}`);
  if (stoppedBy !== undefined) {
    const left = read - ok - failed - skipped;
    const rest = left === 0 ? "" : `: ${plural(left, "URL")} not started`;
    lines.push(`stopped by ${stoppedBy}${rest}${statistics.isTotal ? "" : ", the list not read to its end"}`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

/** What is said when a signal came and requests still run. */
export function renderStopping({ running }: Statistics, graceMs: number): string {
  const time = graceMs === Infinity ? "as long as they need" : formatMs(graceMs);
  return `stopping: ${plural(running, "request")} may still end, in ${time}; Ctrl-C again ends at once\n`;
}

/** How a run that was stopped can be gone on with. */
export function howToContinue({ state }: Pick<IoOptions, "state">, { ok, skipped }: Statistics): string {
  if (state === undefined) return "with --state FILE, the next run would go on from here\n";
  const file = escapeControls(JSON.stringify(state));
  return `to go on, run it again: meanwhile fetch ... --state ${file}; it skips the ${plural(ok + skipped, "URL")} that are done\n`;
}

function latencyOf({ durations }: Statistics): string | undefined {
  const shares = [50, 95, 99].map((share) => [share, durations.percentile(share / 100)] as const);
  const texts = shares.map(([share, ms]) => (ms === undefined ? "" : `p${share} ${formatMs(ms)}`));
  return texts[0] === "" ? undefined : texts.join("  ");
}

function hostsOf({ hosts }: Statistics): string {
  const shown = hosts.slowest(SHOWN_HOSTS).map(({ host, meanMs }) => `${escapeControls(host)} ${formatMs(meanMs)}`);
  return shown.join("  ");
}

function errorsOf({ errors }: Statistics): string {
  const sorted = [...errors].toSorted(([, one], [, other]) => other - one);
  const shown = sorted.slice(0, SHOWN_ERRORS).map(([code, count]) => `${code} ${formatCount(count)}`);
  const rest = sorted.slice(SHOWN_ERRORS).reduce((sum, [, count]) => sum + count, 0);
  return [...shown, ...(rest === 0 ? [] : [`others ${formatCount(rest)}`])].join("  ");
}
