// A reporter for node:test that says one line about coverage, and shows only what fails or is not covered.

import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";

type Coverage = Extract<TestEvent, { type: "test:coverage" }>["data"]["summary"];

/** The lines that never ran, and those with a branch that was never taken. */
function* gapsOf({ files, workingDirectory }: Coverage): Generator<string> {
  for (const { path, lines, branches } of files) {
    const never = lines.filter(({ count }) => count === 0).map(({ line }) => line);
    const untaken = branches.filter(({ count }) => count === 0).map(({ line }) => line);
    const file = relative(workingDirectory, path);
    if (never.length > 0) yield `${file} never runs line ${never.join(", ")}\n`;
    if (untaken.length > 0) yield `${file} never takes a branch at line ${untaken.join(", ")}\n`;
  }
}

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type === "test:fail") yield `✖ ${data.name} (${data.file}:${data.line})\n${data.details.error.message}\n`;
    if (type === "test:stderr") yield data.message;
    if (type !== "test:coverage") continue;
    const { totals } = data.summary;
    yield* gapsOf(data.summary);
    yield `coverage: ${totals.coveredLineCount} of ${totals.totalLineCount} lines, `;
    yield `${totals.coveredBranchCount} of ${totals.totalBranchCount} branches\n`;
  }
}
