// Fails when a file imports from a higher layer, reaches around lowlevel.ts, closes a cycle or crosses a package border.
// The layers are drawn in DESIGN.md; the order of the lists below is that drawing.

import { existsSync } from "node:fs";

import { filesMatching, importsOf, place, read, report, walk } from "./source.ts";

const LAYERS: ReadonlyArray<ReadonlyArray<string>> = [
  ["errors.ts", "util/"],
  ["clock/"],
  ["kernel/"],
  ["lowlevel.ts"],
  ["sync/", "time/"],
  ["flow/"],
  ["workers/", "diagnostics/", "testing/"],
  ["index.ts", "testing.ts", "workers.ts", "diagnostics.ts"],
];
const LOWLEVEL = 3;
const ENTRIES = LAYERS.length - 1;
const CORE = "packages/meanwhile/src/";

// Names with one owner: everybody else goes through that file, so that it stays the only place to get them right. Options may
// name AbortSignal as a type and hand it on; whoever asks or listens to one needs a member that counts as the name does.
const OWNERS: Readonly<Record<string, string>> = {
  AbortController: "kernel/foreign.ts",
  AbortSignal: "kernel/foreign.ts",
  aborted: "kernel/foreign.ts",
  addEventListener: "kernel/foreign.ts",
  removeEventListener: "kernel/foreign.ts",
  throwIfAborted: "kernel/foreign.ts",
  AsyncLocalStorage: "kernel/context.ts",
};

// Our packages by what they may import of ours. Satellites get the two faces any outsider has.
const OPEN = ["meanwhile", "meanwhile/lowlevel"];
const SATELLITES = ["instrument", "http", "postgres", "websocket", "cluster", "inspector"];
const MAY_IMPORT: Readonly<Record<string, ReadonlyArray<string>>> = {
  meanwhile: [],
  lint: [],
  ...Object.fromEntries(SATELLITES.map((name) => [name, OPEN])),
  cluster: [...OPEN, "meanwhile/workers"],
  inspector: [...OPEN, "meanwhile/diagnostics"],
  cli: [...OPEN, "meanwhile/workers", "meanwhile/diagnostics", ...SATELLITES.map((name) => `@meanwhile/${name}`)],
};

function layerOf(path: string): number {
  return LAYERS.findIndex((prefixes) =>
    prefixes.some((prefix) => (prefix.endsWith("/") ? path.startsWith(prefix) : path === prefix)),
  );
}

function checkLayers(file: string): void {
  const path = file.slice(CORE.length);
  const here = layerOf(path);
  if (here === -1)
    return report(`${file} belongs to no layer; put it into one, or draw a new one in tools/check-layers.ts`);
  for (const { target } of importsOf(read(file)).filter((found) => found.isRelative)) {
    const there = layerOf(target.slice(CORE.length));
    if (there > here) report(`${file} must not import ${target}: it lies in a higher layer`);
    if (here > LOWLEVEL && here < ENTRIES && target.startsWith(`${CORE}kernel/`)) {
      report(`${file} must not import ${target}: use lowlevel.ts`);
    }
  }
  if (here === ENTRIES) checkEntry(file);
  checkOwners(file, path);
}

/** The list in an entry point is the public API: names, no code and no stars. */
function checkEntry(file: string): void {
  const source = read(file);
  for (const statement of source.parsed.program.body) {
    const isList = statement.type === "ExportNamedDeclaration" && statement.source !== null;
    if (!isList)
      report(`${place(source, statement.start)} must be \`export { names } from "…"\`: entry points only list names`);
  }
}

function checkOwners(file: string, path: string): void {
  const source = read(file);
  walk(source.parsed.program, (node) => {
    const owner = node.type === "Identifier" && Object.hasOwn(OWNERS, node.name) ? OWNERS[node.name] : path;
    if (owner !== path)
      report(
        `${place(source, node.start)} must not mention ${source.text.slice(node.start, node.end)}: only ${owner} does`,
      );
    return node.type !== "TSTypeReference";
  });
}

function checkBorders(file: string, name: string): void {
  const allowed = MAY_IMPORT[name];
  if (allowed === undefined) return report(`packages/${name} has no import rule; add it to tools/check-layers.ts`);
  for (const { target, isRelative } of importsOf(read(file))) {
    const isOurs = /^(@meanwhile\/|meanwhile(\/|$))/.test(target);
    if (isOurs && !allowed.includes(target)) report(`${file} must not import ${target}`);
    if (isRelative && !target.startsWith(`packages/${name}/src/`))
      report(`${file} must not import ${target}: it lies outside its package`);
    if (isRelative && !existsSync(target)) report(`${file} imports ${target}, which is not there`);
  }
}

/** Depth first; a file met again on the way down closes a cycle. */
function checkCycles(file: string, way: ReadonlyArray<string>, done: Set<string>): void {
  const start = way.indexOf(file);
  if (start !== -1) return report(`Cycle: ${[...way.slice(start), file].join(" → ")}`);
  if (done.has(file) || !existsSync(file)) return;
  for (const { target } of importsOf(read(file)).filter((found) => found.isRelative && !found.isTypeOnly)) {
    checkCycles(target, [...way, file], done);
  }
  done.add(file);
}

const files = filesMatching("packages/*/src/**/*.ts");
if (files.length === 0) report("No packages/*/src/**/*.ts here: run this in the root of the repository");
const done = new Set<string>();
for (const file of files) {
  const [, name = ""] = file.split("/");
  checkBorders(file, name);
  if (file.startsWith(CORE)) checkLayers(file);
  checkCycles(file, [], done);
}
