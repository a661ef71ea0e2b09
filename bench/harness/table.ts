// A result as lines of text, for the terminal, and as Markdown, for the README.

import type { Result, TargetResult } from "./results.ts";
import { rounded, type Spread } from "./statistics.ts";

/** Aligned columns: the first to the left, the others to the right. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
}

/** Three significant digits, with thousands apart. */
export function number(value: number): string {
  return rounded(value).toLocaleString("en-US", { maximumFractionDigits: 10 }).replaceAll(",", " ");
}

function spreadText(spread: Spread | undefined): string {
  return spread === undefined ? "–" : `${number(spread.median)} (${number(spread.min)}–${number(spread.max)})`;
}

function cells({ figures, peers }: Result): string[][] {
  return peers.map(({ peer, figures: measured }) => [peer, ...figures.map(({ key }) => spreadText(measured[key]))]);
}

function targetLine({ text, figure, ratio, met }: TargetResult): string {
  return `${met ? "met" : "MISSED"}: ${text} (${figure}): ${spreadText(ratio)}`;
}

/** For the terminal. */
export function plainTable(result: Result): string {
  const head = [result.title, ...result.figures.map(({ label }) => label)];
  const targets = result.targets.map((target) => `  ${targetLine(target)}`);
  const skipped = result.skipped.map(({ peer, why }) => `  skipped: ${peer}: ${why}`);
  return [...align([head, ...cells(result)]), ...targets, ...skipped].join("\n");
}

/** For the README. */
export function markdownTable(result: Result): string {
  const columns = ["peer", ...result.figures.map(({ label }) => label), "version"];
  const ours = new Set(result.peers.flatMap(({ peer, ours: isOurs }) => (isOurs ? [peer] : [])));
  const versions = result.peers.map((peer) => peer.versions);
  const rows = cells(result).map(([peer = "", ...rest], index) => {
    return [ours.has(peer) ? `**${peer}**` : peer, ...rest, versions[index] ?? ""];
  });
  const lines = [columns, columns.map((_, index) => (index === 0 ? "---" : "--:")), ...rows];
  const targets = result.targets.map((target) => `- ${targetLine(target).replace("MISSED", "**missed**")}`);
  const skipped = result.skipped.map(({ peer, why }) => `- skipped: ${peer}: ${why}`);
  return [...lines.map((cellsOfLine) => `| ${cellsOfLine.join(" | ")} |`), "", ...targets, ...skipped].join("\n");
}
