// Transformed files, kept on disk by content: a file is parsed once, whoever loads it.
//
// The folder is the project's own `node_modules/.cache`: what lies there is run, so it must be as safe as the code.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import type * as transforming from "./transform-file.ts";
import type { TransformOptions } from "./transform/transform.ts";

/** What is transformed, and whether it is kept. */
export interface CachedOptions extends TransformOptions {
  readonly cache: boolean;
}

const MAX_AGE_MS = 30 * 24 * 3_600_000;
/** A file that needs no change is kept as this: no transformed file is empty. */
const UNCHANGED = "";

const require = createRequire(import.meta.url);
const OWN = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
const { version }: { readonly version: string } = require("../package.json");

/** Transforms a source, or finds it transformed. Null: it is to be taken as it is. */
export function transformCached(source: string, { cache, ...options }: CachedOptions): string | null {
  // Most files of a program wait for nothing; they are neither parsed nor looked for.
  if (!/\b(?:async|await)\b/.test(source) && !(options.isEntry === true && /\bmain\b/.test(source))) return null;
  const folder = cache ? cacheFolder() : null;
  if (folder === null) return transformNow(source, options);
  const file = join(folder, `${keyOf(source, options)}.js`);
  const known = readIfThere(file);
  if (known !== null) return known === UNCHANGED ? null : known;
  const changed = transformNow(source, options);
  keep(folder, file, changed ?? UNCHANGED);
  return changed;
}

// The parser is loaded when the first file has to be parsed: not at all, if all are in the cache.
function transformNow(source: string, options: TransformOptions): string | null {
  const { transformOrWarn }: typeof transforming = require(`./transform-file${OWN}`);
  return transformOrWarn(source, options)?.code ?? null;
}

function keyOf(source: string, options: TransformOptions): string {
  const what = JSON.stringify([version, process.versions.node, options]);
  return createHash("sha256").update(what).update("\0").update(source).digest("hex").slice(0, 40);
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

// Written beside and renamed: another process sees all of it or nothing. A cache that cannot be written costs time only.
function keep(folder: string, file: string, content: string): void {
  const draft = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, content, { mode: 0o600 });
    renameSync(draft, file);
  } catch {
    rmSync(draft, { force: true });
  }
  forgetOld(folder);
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
    if (statSync(modules, { throwIfNoEntry: false })?.isDirectory() === true) return makeFolder(modules);
    if (dirname(at) === at) return null;
  }
}

function makeFolder(modules: string): string | null {
  const made = join(modules, ".cache", "meanwhile-instrument");
  try {
    mkdirSync(made, { recursive: true, mode: 0o700 });
    return made;
  } catch {
    return null;
  }
}

let hasForgotten = false;

function forgetOld(of: string): void {
  if (hasForgotten) return;
  hasForgotten = true;
  const oldest = Date.now() - MAX_AGE_MS;
  for (const name of readdirSync(of)) {
    const stats = statSync(join(of, name), { throwIfNoEntry: false });
    if (stats !== undefined && stats.mtimeMs < oldest) rmSync(join(of, name), { force: true });
  }
}
