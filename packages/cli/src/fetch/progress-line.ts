// Draws the state of a run as text. Pure: the same numbers give the same text.

import { escapeControls, toSafeJson } from "../output/escape.ts";
import { formatBytes, formatClock, formatCount, formatMs } from "../output/format.ts";
import type { HostTally } from "./host-tallies.ts";
import type { Snapshot } from "./statistics.ts";

/** How fast things go now: the change since a moment ago. */
export interface Pulse {
  readonly perSecond: number;
  readonly bytesPerSecond: number;
}

const LEAST_BAR = 8;
const LONGEST_BAR = 30;
const HOST_COLUMNS = 40;

/** The line of a terminal, at most `width` columns wide. On a narrow one it says less. */
export function renderBar(snapshot: Snapshot, pulse: Pulse, width: number): string {
  const percent = percentOf(snapshot);
  const start = percent === undefined ? "" : `${String(percent).padStart(3)} %  `;
  const texts = textsOf(snapshot, pulse).map((parts) => start + parts.filter((part) => part !== "").join("  "));
  const least = percent === undefined ? 0 : LEAST_BAR + 1;
  const text = texts.find(({ length }) => length + least <= width) ?? texts.at(-1) ?? "";
  const room = Math.min(LONGEST_BAR, width - text.length - 1);
  if (percent === undefined || room < LEAST_BAR) return clip(text.trimStart(), width);
  return `${drawBar(percent, room)} ${text}`;
}

/** What can be said, from the most to the least. */
function textsOf(snapshot: Snapshot, pulse: Pulse): string[][] {
  const [done, failed, clock] = [doneOf(snapshot), failedOf(snapshot), clockOf(snapshot, pulse)];
  const [rate, bytes] = speedsOf(pulse);
  const running = `${snapshot.running} running`;
  const reading = snapshot.isTotal ? "" : "reading the list";
  return [
    [done, failed, running, rate, bytes, clock, reading],
    [done, failed, running, rate, clock, reading],
    [done, failed, rate, clock],
    [done, failed, clock],
    [done],
  ];
}

/** The line of a log. */
export function renderPlain(snapshot: Snapshot, pulse: Pulse): string {
  const percent = percentOf(snapshot);
  return [
    formatClock(snapshot.elapsedMs),
    `${doneOf(snapshot)}${percent === undefined ? "" : ` (${percent} %)`}`,
    `${formatCount(snapshot.failed)} failed`,
    `${snapshot.running} running`,
    ...speedsOf(pulse),
  ].join("  ");
}

/** Whole percent, never above 100 and 100 only at the end; undefined while the total is not known. */
export function percentOf(snapshot: Snapshot): number | undefined {
  const { isTotal, read } = snapshot;
  if (!isTotal) return undefined;
  return read === 0 ? 100 : Math.min(100, Math.floor((countDone(snapshot) / read) * 100));
}

/** One line for each of the slowest hosts, at most `width` columns wide. */
export function renderHosts(hosts: readonly HostTally[], width: number): string[] {
  const shown = hosts.map(({ host }) => shortened(escapeControls(host), HOST_COLUMNS));
  const widest = Math.max(0, ...shown.map(({ length }) => length));
  return hosts.map(({ done, failed, meanMs }, index) => {
    const failures = failed === 0 ? "" : `  ${formatCount(failed)} failed`;
    const name = (shown[index] ?? "").padEnd(widest);
    return clip(`  ${name}  ${formatMs(meanMs).padStart(7)}  ${formatCount(done)} done${failures}`, width);
  });
}

/** One line of JSON for a program that watches, ended. */
export function renderJson(snapshot: Snapshot, pulse: Pulse): string {
  const { elapsedMs, isTotal, read, ok, failed, skipped, running, retries, bytes } = snapshot;
  const [perSecond, bytesPerSecond] = [Math.round(pulse.perSecond * 10) / 10, Math.round(pulse.bytesPerSecond)];
  return `${toSafeJson({
    elapsedMs: Math.round(elapsedMs),
    read,
    isTotal,
    percent: percentOf(snapshot),
    ok,
    failed,
    skipped,
    running,
    retries,
    bytes,
    perSecond,
    bytesPerSecond,
  })}\n`;
}

function countDone({ ok, failed, skipped }: Snapshot): number {
  return ok + failed + skipped;
}

/** How much changed between two moments. */
export function pulseBetween(before: Snapshot, after: Snapshot): Pulse {
  const seconds = Math.max(1, after.elapsedMs - before.elapsedMs) / 1_000;
  const done = countDone(after) - countDone(before);
  return { perSecond: done / seconds, bytesPerSecond: (after.bytes - before.bytes) / seconds };
}

function doneOf(snapshot: Snapshot): string {
  const { read, isTotal } = snapshot;
  const done = formatCount(countDone(snapshot));
  return isTotal ? `${done} of ${formatCount(read)}` : `${done} done`;
}

function failedOf({ failed }: Snapshot): string {
  return failed === 0 ? "" : `${formatCount(failed)} failed`;
}

function speedsOf({ perSecond, bytesPerSecond }: Pulse): [rate: string, bytes: string] {
  const rate = perSecond < 10 ? perSecond.toFixed(1) : formatCount(perSecond);
  return [`${rate}/s`, `${formatBytes(Math.round(bytesPerSecond))}/s`];
}

/** How long it has taken, and, as far as that can be told, how long it still takes. */
function clockOf(snapshot: Snapshot, { perSecond }: Pulse): string {
  const { elapsedMs, isTotal, read } = snapshot;
  const left = read - countDone(snapshot);
  const clock = formatClock(elapsedMs);
  return isTotal && left > 0 && perSecond > 0 ? `${clock} + ${formatClock((left / perSecond) * 1_000)}` : clock;
}

function drawBar(percent: number, width: number): string {
  const full = Math.round((percent / 100) * width);
  return "━".repeat(full) + "─".repeat(width - full);
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : text.slice(0, Math.max(0, width));
}

function shortened(text: string, width: number): string {
  return text.length <= width ? text : `…${text.slice(text.length - width + 1)}`;
}
