// Writes docs/cancel-safety.md from the "Cancellation:" lines of the doc comments: what a cancelled call leaves behind.
//
//   node tools/cancel-safety.ts           writes it
//   node tools/cancel-safety.ts --print   prints it
//   node tools/cancel-safety.ts --check   fails if it is not what the comments say

import { readFileSync, writeFileSync } from "node:fs";

import { cancellationLine, documented, type Documented } from "./documented.ts";
import { report } from "./source.ts";

const PAGE = "docs/cancel-safety.md";
const INTRODUCTION = `# Cancel safety

What a call leaves behind when it throws \`CancelledError\`. This page is made from the \`Cancellation:\` lines of the doc comments (\`node tools/cancel-safety.ts\`). The rows of \`meanwhile\` and its subpaths are held against what happens: the tests cancel scenarios at every checkpoint, each row names at least one of them, and what is lost there has to be what the row says (\`packages/meanwhile/test/promises/cancel-safety.test.ts\`).

- **safe**: nothing has happened. No permit is held, no item was taken or put, nobody has been woken in vain. Call it again, or not at all.
- **loses**: something can be gone when the call throws; the row says what.
- **reaches**: the call owns work. The work is cancelled, and the call ends when that has cleaned up.
`;

function pageOf(waiting: ReadonlyArray<Documented>): string {
  const sections = Array.from(Map.groupBy(waiting, ({ specifier }) => specifier));
  const [core, others] = [true, false].map((ours) => sections.filter(([name]) => /^meanwhile\b/.test(name) === ours));
  return [INTRODUCTION, ...[...(core ?? []), ...(others ?? [])].map((section) => sectionOf(...section))].join("\n");
}

function sectionOf(specifier: string, rows: ReadonlyArray<Documented>): string {
  const lines = rows
    .toSorted((a, b) => a.name.localeCompare(b.name, "en"))
    .map(({ name, doc }) => {
      const { safety, text } = cancellationLine(doc) ?? { safety: "?", text: "?" };
      return [`\`${name}\``, safety, plain(text)];
    });
  return `## \`${specifier}\`\n\n${table([["call", "when cancelled", ""], ...lines])}\n`;
}

/** Aligned, as the formatter wants it. */
function table(rows: ReadonlyArray<ReadonlyArray<string>>): string {
  const widths = [0, 1, 2].map((column) => Math.max(3, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: ReadonlyArray<string>): string =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  const [head = [], ...rest] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rest.map(line)].join("\n");
}

function plain(text: string): string {
  return text.replaceAll(/\{@link (\w+)\}/g, "`$1`").replaceAll("|", "\\|");
}

const page = pageOf(documented().filter(({ waits, doc }) => waits && cancellationLine(doc) !== null));
if (process.argv.includes("--print")) process.stdout.write(page);
else if (!process.argv.includes("--check")) writeFileSync(PAGE, page);
else if (readFileSync(PAGE, "utf8") !== page) {
  report(`${PAGE} is not what the doc comments say: run node tools/cancel-safety.ts`);
}
