// A reporter for node:test that holds the coverage of the core against its floors: all of the kernel and the primitives,
// nearly all of the rest. It shows how many tests there are, which fail, and what is not covered in a folder below its floor.

import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";

import { read } from "./source.ts";

type Coverage = Extract<TestEvent, { type: "test:coverage" }>["data"]["summary"];
type Counts = Extract<TestEvent, { type: "test:summary" }>["data"]["counts"];
type FileCoverage = Coverage["files"][number];

/**
 * Percent of lines and of branches, by the folder they lie in; the first that matches counts. V8 forgets the branches of a
 * thread at which an inspector has looked, as the watchdog does with a blocked one: the last floor of branches is lower.
 */
const FLOORS: ReadonlyArray<readonly [folder: string, ofLines: number, ofBranches: number]> = [
  ["packages/meanwhile/src/kernel/", 100, 100],
  ["packages/meanwhile/src/sync/", 100, 100],
  ["packages/meanwhile/src/", 95, 93],
];

interface Group {
  readonly folder: string;
  readonly ofLines: number;
  readonly ofBranches: number;
  readonly files: FileCoverage[];
}

const TYPES_ONLY = ["ImportDeclaration", "TSInterfaceDeclaration", "TSTypeAliasDeclaration"];

/** A file of types only is never loaded, and cannot be covered. */
function hasCode({ path }: FileCoverage): boolean {
  return read(path).parsed.program.body.some((statement) => {
    const declaration = statement.type === "ExportNamedDeclaration" ? (statement.declaration ?? statement) : statement;
    return !TYPES_ONLY.includes(declaration.type);
  });
}

function groupsOf({ files, workingDirectory }: Coverage): Group[] {
  const groups = FLOORS.map(([folder, ofLines, ofBranches]): Group => ({ folder, ofLines, ofBranches, files: [] }));
  for (const file of files.filter(hasCode)) {
    groups.find(({ folder }) => relative(workingDirectory, file.path).startsWith(folder))?.files.push(file);
  }
  return groups.filter(({ files: covered }) => covered.length > 0);
}

/** The lines that never ran, and those with a branch that was never taken. */
function* gapsOf({ files }: Group, workingDirectory: string): Generator<string> {
  for (const { path, lines, branches } of files) {
    const never = lines.filter(({ count }) => count === 0).map(({ line }) => line);
    const untaken = branches.filter(({ count }) => count === 0).map(({ line }) => line);
    const file = relative(workingDirectory, path);
    if (never.length > 0) yield `${file} never runs line ${never.join(", ")}\n`;
    if (untaken.length > 0) yield `${file} never takes a branch at line ${untaken.join(", ")}\n`;
  }
}

function sum(files: ReadonlyArray<FileCoverage>, key: keyof FileCoverage & `${string}Count`): number {
  return files.reduce((total, file) => total + file[key], 0);
}

function* judge(group: Group, workingDirectory: string): Generator<string> {
  const { folder, ofLines, ofBranches, files } = group;
  const lines = [sum(files, "coveredLineCount"), sum(files, "totalLineCount"), ofLines] as const;
  const branches = [sum(files, "coveredBranchCount"), sum(files, "totalBranchCount"), ofBranches] as const;
  const isBelow = [lines, branches].some(([covered, total, floor]) => covered * 100 < floor * total);
  if (isBelow) {
    process.exitCode = 1;
    yield* gapsOf(group, workingDirectory);
  }
  yield `coverage: ${folder} ${lines[0]} of ${lines[1]} lines, ${branches[0]} of ${branches[1]} branches`;
  yield isBelow ? `, which is below ${ofLines} % or ${ofBranches} %\n` : "\n";
}

/** As the reporter of Node itself writes them. */
function* countsOf({ tests, passed, skipped, todo }: Counts): Generator<string> {
  const counts = { tests, pass: passed, fail: tests - passed - skipped - todo, skipped };
  for (const [name, count] of Object.entries(counts)) yield `ℹ ${name} ${count}\n`;
}

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type === "test:fail") yield `✖ ${data.name} (${data.file}:${data.line})\n${data.details.error.message}\n`;
    if (type === "test:stderr") yield data.message;
    if (type === "test:summary" && data.file === undefined) yield* countsOf(data.counts);
    if (type !== "test:coverage") continue;
    for (const group of groupsOf(data.summary)) yield* judge(group, data.summary.workingDirectory);
  }
}
