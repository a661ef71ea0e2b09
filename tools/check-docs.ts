// Type-checks every ```ts block of the documentation and of doc comments, runs it, and compares what it prints with its `//>` lines.
//
// A block without an import gets the names of ours that it uses. "…" in a `//>` line stands for anything. Not run, only checked:
// a block marked ```ts no-run, one that declares what it needs (`declare const url: string`), and one marked ```ts file=math.ts,
// which is a module of that name for other blocks to import.

import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { entriesOf } from "./public-api.ts";
import { filesMatching, read, report } from "./source.ts";

const FOLDER = ".cache/docs";
const COMPILER = join(import.meta.dirname, "../node_modules/typescript/bin/tsc");
/** More than there are processors: many of them wait for a server or a thread. */
const AT_ONCE = 4;
const RUN_TIMEOUT_MS = 60_000;
/** All of them load the same files. */
const ENV = { ...process.env, NODE_COMPILE_CACHE: join(FOLDER, "compiled") };

interface Block {
  /** Where its first line stands: "README.md:12". */
  readonly file: string;
  readonly line: number;
  readonly code: string;
  readonly isRun: boolean;
  /** Marked ```ts instrumented: runs under @meanwhile/instrument. */
  readonly isInstrumented: boolean;
  readonly path: string;
}

function blocksOf(file: string): Block[] {
  const isSource = file.endsWith(".ts");
  const lines = readFileSync(file, "utf8").split("\n");
  const text = isSource ? lines.map((line) => /^\s*\* ?(.*)$/.exec(line)?.[1] ?? "").join("\n") : lines.join("\n");
  return Array.from(text.matchAll(/^( *)```(?:ts|typescript)\b(.*)\n([^]*?)^\1```$/gm), (match): Block => {
    const [, indent = "", info = "", body = ""] = match;
    const line = text.slice(0, match.index).split("\n").length + 1;
    const code = body.replaceAll(new RegExp(`^${indent}`, "gm"), "");
    const name = /\bfile=([\w-]+\.ts)\b/.exec(info)?.[1];
    const isRun = name === undefined && !/\bno-run\b/.test(info) && !/^declare /m.test(code);
    const isInstrumented = /\binstrumented\b/.test(info);
    return {
      file,
      line,
      code,
      isRun,
      isInstrumented,
      path: join(FOLDER, name ?? `${file.replaceAll(/[^\w.-]/g, "_")}.${line}.ts`),
    };
  });
}

/** Exported name → what a program writes to import it. The first entry point that has a name gives it. */
function ourNames(): Map<string, { specifier: string; isType: boolean }> {
  const names = new Map<string, { specifier: string; isType: boolean }>();
  const folders = filesMatching("packages/meanwhile/package.json", "packages/*/package.json");
  for (const manifest of new Set(["packages/meanwhile/package.json", ...folders])) {
    for (const { specifier, file } of entriesOf(manifest.slice(0, -"/package.json".length), "@meanwhile/source")) {
      for (const { exportName, isType } of read(file).parsed.module.staticExports.flatMap(({ entries }) => entries)) {
        if (exportName.name !== null && !names.has(exportName.name)) names.set(exportName.name, { specifier, isType });
      }
    }
  }
  return names;
}

/** One line, so that line n of the block is line n + 1 of its file. */
function preludeOf(code: string, names: ReturnType<typeof ourNames>): string {
  if (/^import\b/m.test(code)) return "";
  const words = new Set(code.replaceAll(/\/\/.*$/gm, "").match(/(?<![.\w])[A-Za-z]\w*/g));
  const own = new Set(
    Array.from(code.matchAll(/\b(?:const|let|class|function|interface|type) (\w+)/g), ([, name]) => name),
  );
  const imports = [...names].filter(([name]) => words.has(name) && !own.has(name));
  return imports
    .map(([name, { specifier, isType }]) => `import { ${isType ? "type " : ""}${name} } from "${specifier}";`)
    .join(" ");
}

async function node(...args: string[]): Promise<{ exitCode: number | string; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: RUN_TIMEOUT_MS, env: ENV }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : (error.code ?? error.signal ?? 1), stdout, stderr });
    });
  });
}

/** Words about our copies, rewritten to say where in the documentation the line stands. */
function placed(text: string, blocks: ReadonlyArray<Block>): string {
  return blocks.reduce(
    (rest, { path, file, line }) =>
      rest.replaceAll(
        new RegExp(`(?:file://)?[^\\s(]*${path.replaceAll(/[.]/g, "\\.")}[(:](\\d+)`, "g"),
        (_, at: string) => {
          return `${file}:${line + Number(at) - 2}`;
        },
      ),
    text,
  );
}

async function checkTypes(blocks: ReadonlyArray<Block>): Promise<void> {
  const compilerOptions = {
    noUnusedLocals: false,
    noUnusedParameters: false,
    isolatedDeclarations: false,
    declaration: false,
  };
  const config = { extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"], exclude: [] };
  writeFileSync(join(FOLDER, "tsconfig.json"), JSON.stringify(config));
  const { exitCode, stdout, stderr } = await node(COMPILER, "-p", FOLDER, "--pretty", "false");
  if (exitCode !== 0) report(placed(stdout + stderr, blocks).trimEnd());
}

async function checkRun(block: Block): Promise<void> {
  const hook = block.isInstrumented ? ["--import", "./packages/instrument/src/register.ts"] : [];
  const { exitCode, stdout, stderr } = await node("--conditions=@meanwhile/source", ...hook, block.path);
  const where = `${block.file}:${block.line}`;
  if (exitCode !== 0) return report(`${where} ends with ${exitCode}:\n${placed(stderr, [block])}`);
  const expected = Array.from(block.code.matchAll(/\/\/> ?(.*)$/gm), ([, line = ""]) => line.trimEnd());
  const printed = stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd());
  if (expected.length === 0) return;
  const pattern = expected
    .map((line) =>
      line
        .split("…")
        .map((part) => RegExp.escape(part))
        .join(".*"),
    )
    .join("\n");
  if (!new RegExp(`^${pattern}$`).test(printed.join("\n"))) {
    report(`${where} prints\n  ${printed.join("\n  ")}\nbut says\n  ${expected.join("\n  ")}`);
  }
}

const files = filesMatching("README.md", "docs/**/*.md", "packages/*/README.md", "packages/*/src/**/*.ts");
if (files.length === 0) report("Nothing to check here: run this in the root of the repository");
const blocks = files.flatMap(blocksOf);
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const names = ourNames();
for (const { path, code } of blocks) writeFileSync(path, `${preludeOf(code, names)}\n${code}\nexport {};\n`);
if (blocks.length > 0) await checkTypes(blocks);
const waiting = blocks.filter(({ isRun }) => isRun);
const count = waiting.length;
const drain = async (): Promise<void> => {
  for (let block = waiting.shift(); block !== undefined; block = waiting.shift()) await checkRun(block);
};
if (process.exitCode === undefined) await Promise.all(Array.from({ length: AT_ONCE }, drain));
console.log(`${blocks.length} blocks checked, ${count} of them run`);
