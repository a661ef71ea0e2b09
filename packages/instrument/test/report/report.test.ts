// What the report says: its suggestions, its text, and that it comes however the program ends.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { type FileSites, type SiteTable, sitesOf, type WaitSite } from "meanwhile/lowlevel";

import { transform } from "../../src/index.ts";
import { Profile } from "../../src/report/profile.ts";
import { renderReport } from "../../src/report/render.ts";
import { suggestionsFor } from "../../src/report/suggestions.ts";
import { Project, REGISTER } from "../project.ts";

function sitesIn(file: string, code: string): FileSites {
  const edited = transform(code, { id: file, format: "module", runtime: "rt" })?.code ?? "";
  const [, table = ""] = /\.file\((\{.*?\})\)\}/.exec(edited) ?? [];
  return sitesOf(JSON.parse(table) as SiteTable);
}

/** What is suggested if every wait of the code came ten times and took one to ten milliseconds, as `kind: texts`. */
function suggested(code: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), "meanwhile-report-"));
  try {
    const file = join(folder, "code.ts");
    const whole = `async function f() {\n${code}\n}`;
    writeFileSync(file, whole);
    const { waits } = sitesIn(file, whole);
    const times = new Map(waits.map((site) => [site, { count: 10, totalMs: 50, maxMs: 10 }]));
    return suggestionsFor(times).map(({ kind, sites }) => `${kind}: ${sites.map(({ text }) => text).join(", ")}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("a suggestion", () => {
  const made: ReadonlyArray<readonly [name: string, code: string, suggestions: readonly string[]]> = [
    ["is made of awaits in turn", "const a = await x(1);\nconst b = await x(2);", ["sequence: x(1), x(2)"]],
    ["may be made of what is taken apart", "const { a } = await x();\nconst [b] = await y();", ["sequence: x(), y()"]],
    ["is made of the rounds of a loop", "for (const a of all) await x(a);", ["loop: x(a)"]],
    ["is made where rounds are only added up", "for (let i = 0; i < 9; i++) total += await x(i);", ["loop: x(i)"]],
    [
      "is made of each group for itself",
      "const a = await x();\nconst b = await y();\nuse(a);\nconst c = await z(a);",
      ["sequence: x(), y()"],
    ],
  ];
  for (const [name, code, suggestions] of made) it(name, () => assert.deepEqual(suggested(code), suggestions));

  const none: ReadonlyArray<readonly [name: string, code: string]> = [
    ["an await that uses the one before", "const a = await x();\nconst b = await y(a);"],
    ["one that uses what was taken apart", "const { a: [c] } = await x();\nconst b = await y(c);"],
    ["a default that uses the one before", "const a = await x();\nconst { b = a } = await y();"],
    ["a nested use", "const a = await x();\nconst b = await y(() => ({ z: [a.b] }));"],
    ["awaits in different blocks", "const a = await x();\n{ const b = await y(); }"],
    ["awaits with something between them", "const a = await x();\nuse();\nconst b = await y();"],
    ["the same asked twice", "const a = await reader.read();\nconst b = await reader.read();"],
    ["what is disposed of", "await using a = await x();\nusing b = await y();"],
    ["for await", "for await (const a of x()) { await y(a); }"],
    ["a loop that carries a value", "let a = 0;\nfor (const b of all) a = await x(a, b);"],
    ["a loop that carries it through another name", "let a;\nfor (const b of all) { const c = a; a = await x(c); }"],
    ["a loop that counts what it asks for", "let page = 0;\nfor (const _ of all) { await x(page); page++; }"],
    ["a loop that goes on with its answer", "for (let a = first; a; a = a.next) await x(a);"],
    ["a loop that waits in its head", "for (let i = 0; await x(); i++) y();"],
    ["a loop that may end early", "for (const a of all) if (await x(a)) break;"],
    ["a loop that returns", "for (const a of all) { if (await x(a)) return a; }"],
    ["a loop without a known end", "for (;;) await x();\n"],
    ["a while loop", "while (ready()) await x();"],
    ["a loop whose conditions change", "let found = 0;\nfor (const a of all) if (found < 3) found += await x(a);"],
  ];
  for (const [name, code] of none) it(`is not made of ${name}`, () => assert.deepEqual(suggested(code), []));
});

function profileOf(waits: readonly WaitSite[]): Profile {
  const profile = new Profile();
  for (const [index, site] of waits.entries()) profile.waits.set(site, { count: 1, totalMs: index, maxMs: index });
  return profile;
}

describe("the text of a report", () => {
  it("has columns that stand below each other, whatever the places are called", () => {
    const file = { id: `/${"long/".repeat(40)}app.ts`, functions: [] };
    const waits: SiteTable["waits"] = [
      [1, 1, "await", "a()"],
      [1000, 100, "for await", "a text as long as it may be, forty letters"],
      [2, 1, "await", "'\u001b[31m\u0007\u009b'"],
    ];
    const text = renderReport(profileOf(sitesOf({ ...file, waits }).waits), {
      program: "it",
      ranMs: 1,
      leftBehind: ["\u001b[2J"],
    });
    const rows = text.split("\n").filter((line) => line.includes("app.ts"));
    assert.equal(rows.length, 3);
    assert.equal(new Set(rows.map((row) => row.length)).size, 1);
    for (const row of rows) assert.ok(row.length < 160, row);
    // oxlint-disable-next-line no-control-regex -- these are what it is about
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    assert.match(text, /\\u001b\[31m\\u0007\\u009b/);
  });

  it("has no numbers that are none, and little of many places", () => {
    const waits: SiteTable["waits"] = Array.from({ length: 1_000 }, (_, line) => [line + 1, 1, "await", "a()"]);
    const text = renderReport(profileOf(sitesOf({ id: "/app.ts", functions: [], waits }).waits), {
      program: "it",
      ranMs: 0,
      leftBehind: [],
    });
    assert.doesNotMatch(text, /NaN|Infinity|undefined/);
    assert.match(text, /and 988 more places/);
    assert.match(
      renderReport(new Profile(), { program: "app.ts", ranMs: 0, leftBehind: [] }),
      /: app\.ts ran for 0\.0 ms; .* busy for 0\.0 ms/,
    );
  });
});

describe("the report of a program", () => {
  const PROGRAM = `
import { run } from "meanwhile";
const pause = (ms: number) => new Promise<number>((resolve) => void setTimeout(resolve, ms, ms));
async function load(ms: number) { return await pause(ms); }
async function* items() { for (let i = 0; i < 3; i++) { await pause(1); yield i; } }
class File { async [Symbol.asyncDispose]() { await pause(60); } }
async function disposes() { await using file = new File(); await 1; }
async function main() {
  for await (const item of items()) await load(item);
  await disposes();
}
await run(main);
`;
  const env = { MEANWHILE_INSTRUMENT_REPORT: "1", MEANWHILE_INSTRUMENT_CACHE: "off" };
  const reportOf = async (code: string): Promise<{ exit: unknown; stderr: string }> => {
    using made = new Project({ "app.ts": code });
    return await made.node([...REGISTER, "app.ts"], { env });
  };

  it("has the waits of calls, generators and for await, and nobody busy who waits", async () => {
    const { exit, stderr } = await reportOf(PROGRAM);
    assert.equal(exit, 0, stderr);
    assert.match(stderr, /app\.ts:4:\d+ {2}await pause\(ms\) +3 /);
    assert.match(stderr, /app\.ts:9:\d+ {2}await load\(item\) +3 /);
    assert.match(stderr, /app\.ts:9:\d+ {2}for await items\(\) +4 /);
    assert.match(stderr, /app\.ts:5:\d+ {2}await pause\(1\) +3 /);
    assert.match(stderr, /app\.ts:5:1 {2}items +1 /);
    const [, busy = ""] = /busy for ([\d.]+) ms of that/.exec(stderr) ?? [];
    assert.ok(Number(busy) < 60, stderr);
  });

  it("comes after process.exit, with its code", async () => {
    const { exit, stderr } = await reportOf(`${PROGRAM}process.exit(5);`);
    assert.equal(exit, 5);
    assert.match(stderr, /Report of meanwhile/);
  });

  it("comes beside an error that nobody catches", async () => {
    const { exit, stderr } = await reportOf(`${PROGRAM}throw new RangeError("on purpose");`);
    assert.equal(exit, 1);
    assert.match(stderr, /Report of meanwhile/);
    assert.match(stderr, /RangeError: on purpose/);
  });

  it("says what still waits also where the program ends in the middle of it", async () => {
    const { stderr } = await reportOf(
      `import { run } from "meanwhile"; await run(async function main() { setImmediate(() => process.exit(5)); await new Promise(() => {}); });`,
    );
    assert.match(stderr, /What it left behind\n {2}main \(.*\) still waits for new Promise\(\(\) => \{\}\)/);
  });
});
