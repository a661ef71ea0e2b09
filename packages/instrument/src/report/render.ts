// The report as text, for a terminal.

import { relative } from "node:path";

import { type FunctionSite, placeOf, type WaitSite } from "meanwhile/lowlevel";

import type { Profile, Times } from "./profile.ts";
import { type Suggestion, suggestionsFor } from "./suggestions.ts";

const MOST_ROWS = 12;
const MOST_SUGGESTIONS = 6;
const LONGEST_PLACE = 60;

/** What the program is said to have left behind. */
export interface Ending {
  /** The program; of several processes and threads each has a report of its own. */
  readonly program: string;
  /** How long it ran. */
  readonly ranMs: number;
  /** Waits that never ended, each as a line. */
  readonly leftBehind: readonly string[];
}

/** The whole report. */
export function renderReport({ waits, functions }: Profile, { program, ranMs, leftBehind }: Ending): string {
  const busyMs = sum(functions.values());
  return [
    "",
    `Report of meanwhile: ${escapeControls(program)} ran for ${duration(ranMs)}; its async functions were busy for ${duration(busyMs)} of that`,
    ...section("Where it waited", ["times", "total", "longest"], rowsOf(waits, nameOfWait)),
    ...section("Where it was busy", ["calls", "total", "longest"], rowsOf(functions, nameOfFunction)),
    ...list(
      "What it waited for one after another, independent as far as names tell (where the order matters, keep it)",
      suggestionsFor(waits).map(describe),
      MOST_SUGGESTIONS,
    ),
    ...list("What it left behind", leftBehind.map(escapeControls), MOST_ROWS),
    "",
  ].join("\n");
}

function sum(all: Iterable<Times>): number {
  let totalMs = 0;
  for (const times of all) totalMs += times.totalMs;
  return totalMs;
}

type RowText = readonly [name: string, count: string, total: string, longest: string];

function rowsOf<Site>(all: ReadonlyMap<Site, Times>, nameOf: (site: Site) => string): RowText[] {
  return [...all]
    .filter(([, { count }]) => count > 0)
    .toSorted(([, a], [, b]) => b.totalMs - a.totalMs)
    .map(([site, { count, totalMs, maxMs }]) => [nameOf(site), String(count), duration(totalMs), duration(maxMs)]);
}

function nameOfWait(site: WaitSite): string {
  return `${shortened(here(placeOf(site)))}  ${site.kind} ${escapeControls(site.text)}`;
}

function nameOfFunction(site: FunctionSite): string {
  return `${shortened(here(placeOf(site)))}  ${escapeControls(site.name)}`;
}

/** The end of a path, which says more than its beginning. */
function shortened(place: string): string {
  return place.length > LONGEST_PLACE ? `…${place.slice(1 - LONGEST_PLACE)}` : place;
}

/** What would move the cursor or colour a terminal is shown as it would be written. */
function escapeControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what it is about
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, escaped);
}

function escaped(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function section(title: string, columns: readonly [string, string, string], rows: readonly RowText[]): string[] {
  if (rows.length === 0) return [];
  const shown: RowText[] = [["", ...columns], ...rows.slice(0, MOST_ROWS)];
  const width = (at: 0 | 1 | 2 | 3): number => Math.max(...shown.map((row) => row[at].length));
  const widths = [width(0), width(1), width(2), width(3)] as const;
  const lines = shown.map(([name, count, total, longest]) =>
    [name.padEnd(widths[0]), count.padStart(widths[1]), total.padStart(widths[2]), longest.padStart(widths[3])].join(
      "  ",
    ),
  );
  const more = rows.length > MOST_ROWS ? [`  and ${rows.length - MOST_ROWS} more places`] : [];
  return ["", title, ...lines.map((line) => `  ${line}`), ...more];
}

function list(title: string, items: readonly string[], most: number): string[] {
  if (items.length === 0) return [];
  const more = items.length > most ? [`  and ${items.length - most} more`] : [];
  return ["", title, ...items.slice(0, most).map((item) => `  ${item}`), ...more];
}

function describe({ kind, sites, waitedMs, neededMs }: Suggestion): string {
  const [first] = sites;
  const where = first === undefined ? "" : here(placeOf(first));
  if (kind === "loop") {
    return `${where}  a loop waited ${duration(waitedMs)}, its longest round ${duration(neededMs)}: map() or gather() wait for many rounds at once`;
  }
  const lines = sites.map(({ line }) => line).join(", ");
  return `${where}  lines ${lines} waited ${duration(waitedMs)} in turn: gather() would take ${duration(neededMs)}`;
}

function here(place: string): string {
  const [, path, rest] = /^(\/.*?)(:\d+:\d+)$/.exec(place) ?? [];
  return path === undefined ? escapeControls(place) : escapeControls(`${relative(process.cwd(), path)}${rest}`);
}

/** A time in three digits, with the unit that fits. */
function duration(ms: number): string {
  if (ms >= 60_000) return `${(ms / 60_000).toFixed(1)} min`;
  if (ms >= 1_000) return `${(ms / 1_000).toPrecision(3)} s`;
  return ms >= 100 ? `${ms.toFixed(0)} ms` : `${ms.toPrecision(ms < 1 ? 2 : 3)} ms`;
}
