// The figures of the slow checks: each check notes lines of JSON in a file, and check-slow.ts makes a table of them.

import { appendFileSync, readFileSync } from "node:fs";

/** Where the lines go; nowhere if it is not set. */
const VARIABLE = "MEANWHILE_PROOF_FIGURES";

/** What a check has done. */
export interface Figure {
  readonly count: number;
  /** What was counted, in the plural. */
  readonly unit: string;
  readonly ms: number;
  readonly note?: string;
}

interface Line extends Figure {
  readonly proof: string;
}

/** Notes what a check has done. */
export function noteFigure(proof: string, figure: Figure): void {
  const path = process.env[VARIABLE];
  if (path !== undefined) appendFileSync(path, `${JSON.stringify({ proof, ...figure })}\n`);
}

/** The environment for checks that note their figures in the file. */
export function environmentFor(path: string): NodeJS.ProcessEnv {
  return { ...process.env, [VARIABLE]: path };
}

/** A table of all lines in the file; those of one proof and unit are added up. */
export function tableOf(path: string): string {
  const rows = new Map<string, Line>();
  for (const text of readFileSync(path, "utf8").split("\n").filter(Boolean)) {
    const line: Line = JSON.parse(text);
    const key = `${line.proof}\n${line.unit}`;
    const known = rows.get(key);
    const sum = { count: (known?.count ?? 0) + line.count, ms: (known?.ms ?? 0) + line.ms };
    rows.set(key, { ...known, ...line, ...sum });
  }
  return render(
    Array.from(rows.values(), ({ proof, count, unit, ms, note = "" }) => [
      proof,
      count.toLocaleString("en-US"),
      unit,
      ms === 0 ? "" : `${(ms / 1_000).toFixed(1)} s`,
      note,
    ]),
  );
}

/** Columns as wide as their widest cell; numbers to the right. */
function render(rows: ReadonlyArray<readonly string[]>): string {
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 1 || column === 3 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return rows.map(line).join("\n");
}
