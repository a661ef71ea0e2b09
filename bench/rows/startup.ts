// What instrumentation costs at the start: programs of 1, 100 and 1 000 files, transformed for the first time and kept.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { check } from "../harness/measuring.ts";
import type { Measured, Row } from "../harness/row.ts";

const SIZES = [1, 100, 1_000] as const;
const LINES = 100;
const BUILT = join(import.meta.dirname, "../../packages/instrument/dist/register.js");

/** A file of 100 lines, a few of which wait. */
function fileOf(number: number): string {
  const lines = [`export async function load${number}(id: string): Promise<string> {`];
  lines.push("  const found = await Promise.resolve(id);", "  try {", "    await check(found);", "  } finally {");
  lines.push("    await check(id);", "  }", "  return found;", "}", "");
  lines.push(
    "async function check(id: string): Promise<void> {",
    "  if (id === '') await Promise.reject(new Error(id));",
    "}",
    "",
  );
  for (let line = lines.length; line < LINES; line++) {
    lines.push(`export const table${line}: readonly [string, number] = ["entry ${number}.${line}", ${number * line}];`);
  }
  return `${lines.join("\n")}\n`;
}

/** The programs, in a folder with a `node_modules` of its own, so that the cache is theirs. */
function write(): string {
  const folder = mkdtempSync(join(import.meta.dirname, "..", ".startup-"));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  for (const size of SIZES) {
    mkdirSync(join(folder, `${size}`));
    for (let number = 0; number < size; number++)
      writeFileSync(join(folder, `${size}`, `f${number}.ts`), fileOf(number));
    const imports = Array.from({ length: size }, (_, number) => `import { load${number} } from "./f${number}.ts";`);
    writeFileSync(join(folder, `${size}`, "app.ts"), `${imports.join("\n")}\nconsole.log(await load0("a"));\n`);
  }
  return folder;
}

function startMs(folder: string, size: number, hook: readonly string[]): number {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, [...hook, join(folder, `${size}`, "app.ts")], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ms = performance.now() - started;
  check("exit code", status ?? -1, 0);
  return ms;
}

type Form = "plain" | "cold" | "cached";

async function measure(form: Form): Promise<Measured> {
  const folder = write();
  const hook = form === "plain" ? [] : ["--import", "@meanwhile/instrument/register"];
  const cache = join(folder, "node_modules");
  try {
    const figures = SIZES.map((size) => {
      const forget = (): void => {
        rmSync(cache, { recursive: true, force: true });
        mkdirSync(cache);
      };
      // The first start of each program brings its files into the memory of the system, and fills the cache.
      forget();
      startMs(folder, size, hook);
      if (form === "cold") forget();
      return [`ms${size}`, startMs(folder, size, hook)] as const;
    });
    return Object.fromEntries(figures);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const instrumented = (name: string, form: Form) =>
  ({ kind: "node", name, ours: true, packages: ["@meanwhile/instrument"], measure: () => measure(form) }) as const;

export const row: Row = {
  name: "startup",
  title: "start of programs with 1, 100 and 1 000 files of 100 lines",
  about:
    "Milliseconds from the start of Node to its end, for TypeScript programs that load all their files and end. Plain is Node alone, which takes out the types; cold is with the hook and nothing in its cache; " +
    "cached is the second start. The packages are those that are published, built. All three start once before, so that the files are in the memory of the system. The hook itself loads the core of meanwhile and, where something has to be parsed, the parser.",
  server: {
    missing: () => (existsSync(BUILT) ? null : "it needs the packages as they are published: npm run build"),
    start: () => Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() }),
  },
  figures: SIZES.map((size) => ({
    key: `ms${size}`,
    label: `ms, ${size} ${size === 1 ? "file" : "files"}`,
    better: "less",
  })),
  peers: [
    { kind: "node", name: "plain", packages: [], measure: () => measure("plain") },
    instrumented("instrumented, cold", "cold"),
    instrumented("instrumented, cached", "cached"),
  ],
  targets: [
    { ours: "instrumented, cold", beside: "plain", figure: "ms1", compares: "added", limit: 30 },
    { ours: "instrumented, cold", beside: "plain", figure: "ms1000", compares: "added", limit: 130 },
    { ours: "instrumented, cached", beside: "instrumented, cold", figure: "ms1000", compares: "cost", limit: 1 },
  ],
};
