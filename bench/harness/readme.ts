// Writes the results into the README, between two marks: what it says cannot differ from what was measured.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { readResult, roundsText } from "./results.ts";
import type { Row } from "./row.ts";
import { markdownTable, number } from "./table.ts";

const README = join(import.meta.dirname, "..", "README.md");
const BEGIN = "<!-- results: written by run.ts -->";
const END = "<!-- end of results -->";

export function updateReadme(rows: readonly Row[]): void {
  const text = readFileSync(README, "utf8");
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`bench/README.md must have the line ${BEGIN}, and below it ${END}`);
  const sections = rows.map(section).join("\n\n");
  writeFileSync(README, `${text.slice(0, begin)}${BEGIN}\n\n${sections}\n\n${text.slice(end)}`);
}

function section(row: Row): string {
  const result = readResult(row.name);
  const head = `### ${row.name}: ${row.title}\n\n${row.about}`;
  if (result === null) return `${head}\n\nNot measured yet.`;
  const { cpu, cores, memoryGb, system, node } = result.machine;
  const where = `${result.date}, ${cpu}, ${cores} cores, ${memoryGb} GB, ${system}, Node ${node}; ${roundsText(result)}, least–greatest; load before ${number(result.loadBefore)}.`;
  return `${head}\n\n${where}\n\n![${row.title}](./results/${row.name}.svg)\n\n${markdownTable(result)}`;
}
