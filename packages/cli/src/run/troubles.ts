// What diagnostics have seen, for the end of `meanwhile run --report`.

import type { Block, Warning } from "meanwhile/diagnostics";

import { fullNameOf, showPlace } from "../inspect/describe.ts";
import { escapeControls } from "../output/escape.ts";
import { formatCount, formatMs, plural } from "../output/format.ts";

const MOST_ROWS = 12;

/** Two lists; nothing where there is nothing to tell. */
export function renderTroubles(warnings: readonly Warning[], blocks: readonly Block[]): string {
  const told = warnings.filter(({ kind }) => kind !== "loop-blocked" && kind !== "never-awaited");
  const longest = blocks.toSorted((a, b) => b.durationMs - a.durationMs);
  return [
    ...list(`What blocked its event loop (${plural(blocks.length, "time")})`, longest.map(lineOfBlock)),
    ...list("What it was warned of", told.map(lineOfWarning)),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function list(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const more = lines.length > MOST_ROWS ? [`  … and ${formatCount(lines.length - MOST_ROWS)} more`] : [];
  return [title, ...lines.slice(0, MOST_ROWS).map((line) => `  ${line}`), ...more, ""];
}

function lineOfBlock({ durationMs, task, stack, repeated }: Block): string {
  const [place] = stack;
  const where = place === undefined ? "" : `  ${showPlace(place)}`;
  const who = task === null ? "" : `  ${fullNameOf(task.id, task.name)}`;
  const before = repeated === 0 ? "" : `  and ${plural(repeated, "time")} more`;
  return escapeControls(`${formatMs(durationMs).padStart(7)}${where}${who}${before}`);
}

function lineOfWarning({ message, remedy, count }: Warning): string {
  return escapeControls(`${message}${count > 1 ? ` (${formatCount(count)} times)` : ""}; ${remedy}`);
}
