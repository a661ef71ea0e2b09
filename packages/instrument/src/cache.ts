// Transformed files, kept on disk by content: a file is parsed once, whoever loads it.
//
// What lies in the cache is run, so it has to be as safe as the code: it is in the project's own `node_modules`, belongs
// to the user who runs the program, and nobody else may write there. Each entry begins with the hash of the rest: what
// was cut off or damaged is not there.

import { hash } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { threadId } from "node:worker_threads";

import type * as transforming from "./transform-file.ts";
import type { FileOptions } from "./transform-file.ts";

/** What is transformed, and whether it is kept. */
export interface CachedOptions extends FileOptions {
  readonly cache: boolean;
}

const MAX_AGE_MS = 30 * 24 * 3_600_000;
const MAX_BYTES = 64 * 2 ** 20;
const HASH_LENGTH = 64;
/** A file that needs no change is kept as this: no transformed file is empty. */
const UNCHANGED = "";

const require = createRequire(import.meta.url);
const OWN = import.meta.url.endsWith(".ts") ? ".ts" : ".js";

/** Transforms a source, or finds it transformed. Null: it is to be taken as it is. */
export function transformCached(source: string, { cache, ...options }: CachedOptions): string | null {
  // Most files of a program wait for nothing; they are neither parsed nor looked for.
  if (!/\b(?:async|await)\b/.test(source) && options.isEntry !== true) return null;
  const folder = cache ? cacheFolder() : null;
  const file = folder && join(folder, `${keyOf(source, options)}.js`);
  const text = (file && readIfWhole(file)) ?? transformNow(source, options, file);
  return text === UNCHANGED ? null : text;
}

// The parser is loaded when the first file has to be parsed: not at all, if all are in the cache. What could not be
// transformed is not kept: it is said each time.
function transformNow(source: string, options: FileOptions, file: string | null): string | null {
  const { transformOrWarn, withInlineMap }: typeof transforming = require(`./transform-file${OWN}`);
  const outcome = transformOrWarn(source, options);
  if (outcome === "failed") return null;
  const text = outcome === "unchanged" ? UNCHANGED : withInlineMap(outcome);
  if (file !== null) keep(file, text);
  return text;
}

function keyOf(source: string, options: FileOptions): string {
  const what = JSON.stringify([transformVersion(), process.versions.node, options]);
  return hash("sha256", `${what}\0${source}`).slice(0, 40);
}

let version: string | undefined;

/** The transform itself, not its number: a patched or linked one is another one. */
function transformVersion(): string {
  version ??= hash("sha256", codeOfTransform());
  return version;
}

/** What is built has no folders. */
function codeOfTransform(): string {
  const folder = fileURLToPath(new URL(OWN === ".ts" ? "./transform/" : "./", import.meta.url));
  const files = readdirSync(folder).filter((name) => name.endsWith(OWN));
  return files.map((name) => readFileSync(join(folder, name), "utf8")).join("\0");
}

function readIfWhole(file: string): string | null {
  try {
    const content = readFileSync(file, "utf8");
    const text = content.slice(HASH_LENGTH);
    return hash("sha256", text) === content.slice(0, HASH_LENGTH) ? text : null;
  } catch {
    return null;
  }
}

// Written beside and renamed: another process sees all of it or nothing. A cache that cannot be written costs time only.
function keep(file: string, text: string): void {
  const draft = `${file}.${process.pid}.${threadId}.tmp`;
  try {
    writeFileSync(draft, hash("sha256", text) + text, { mode: 0o600 });
    renameSync(draft, file);
    forgetOld(dirname(file));
  } catch {
    rmIfThere(draft);
  }
}

let folder: string | null | undefined;

function cacheFolder(): string | null {
  if (folder === undefined) folder = findFolder();
  return folder;
}

/** The cache of the nearest `node_modules` above the working directory. */
function findFolder(): string | null {
  for (let at = process.cwd(); ; at = dirname(at)) {
    const modules = join(at, "node_modules");
    const stats = statSync(modules, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true) return isOwn(stats) ? makeFolder(modules) : null;
    if (dirname(at) === at) return null;
  }
}

function makeFolder(modules: string): string | null {
  const made = join(modules, ".cache", "meanwhile-instrument");
  try {
    mkdirSync(made, { recursive: true, mode: 0o700 });
    const stats = lstatSync(made);
    return stats.isDirectory() && isOwn(stats) && !othersMayWrite(stats) ? made : null;
  } catch {
    return null;
  }
}

function isOwn({ uid }: Stats): boolean {
  return process.getuid === undefined || uid === process.getuid();
}

function othersMayWrite({ mode }: Stats): boolean {
  return process.getuid !== undefined && (mode & 0o022) !== 0;
}

let hasForgotten = false;

/** Once in a process: what nobody has asked for in a while, and the oldest of more than anybody needs. */
function forgetOld(of: string): void {
  if (hasForgotten) return;
  hasForgotten = true;
  const oldest = Date.now() - MAX_AGE_MS;
  let bytes = 0;
  for (const { file, mtimeMs, size } of entriesIn(of)) {
    bytes += size;
    if (mtimeMs < oldest || bytes > MAX_BYTES) rmIfThere(file);
  }
}

/** The newest first. */
function entriesIn(of: string): { readonly file: string; readonly mtimeMs: number; readonly size: number }[] {
  const files = readdirSync(of).map((name) => join(of, name));
  return files
    .flatMap((file) => {
      const stats = statSync(file, { throwIfNoEntry: false });
      return stats === undefined ? [] : [{ file, mtimeMs: stats.mtimeMs, size: stats.size }];
    })
    .toSorted((a, b) => b.mtimeMs - a.mtimeMs);
}

function rmIfThere(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Another process is as good at it.
  }
}
