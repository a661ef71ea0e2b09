// The load hook: every file of the program is transformed on its way into Node.

import * as nodeModule from "node:module";
import { isAbsolute } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { transformCached } from "./cache.ts";
import { chooses } from "./choice.ts";
import type { ModuleFormat } from "./transform/parse.ts";

/** What the hook needs to know. */
export interface HookOptions {
  /** Packages under `node_modules` that are instrumented too; names as in `import`, or a scope like `@acme/*`. */
  readonly packages: readonly string[];
  /** The file that counts as the program: `import.meta.main` is true in it. Its URL; default: none. */
  readonly entry?: string | undefined;
  /** The file that loads it, which is no part of the program and is left alone. Its URL; default: none. */
  readonly launcher?: string | undefined;
  /** Whether only the program's first file is changed, and only so that it is the main module. */
  readonly onlyEntry: boolean;
  /** Whether files are kept transformed on disk. */
  readonly cache: boolean;
}

const RUNTIME = new URL(import.meta.url.endsWith(".ts") ? "./runtime.ts" : "./runtime.js", import.meta.url).href;

const FORMATS: Readonly<Record<string, readonly ModuleFormat[]>> = {
  module: ["module"],
  "module-typescript": ["module"],
  commonjs: ["commonjs"],
  "commonjs-typescript": ["commonjs"],
  // No package.json says what it is: the source does.
  unknown: ["commonjs", "module"],
  typescript: ["commonjs", "module"],
};

/** Transforms what is loaded from now on, in this thread. */
export function installHook(options: HookOptions): void {
  nodeModule.registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const source = textOf(loaded.source);
      const changed = source === null ? null : instrument(source, url, loaded.format, options);
      return changed === null ? loaded : { ...loaded, source: changed };
    },
  });
  changeCompiled((source, filename, format) =>
    isAbsolute(filename) ? instrument(source, pathToFileURL(filename).href, format, options) : null,
  );
}

function instrument(
  source: string,
  url: string,
  givenFormat: string | null | undefined,
  { packages, entry, launcher, onlyEntry, cache }: HookOptions,
): string | null {
  const formats = FORMATS[givenFormat ?? "unknown"];
  if (
    formats === undefined ||
    (url === launcher && url !== entry) ||
    !(onlyEntry ? url === entry : chooses(url, packages))
  )
    return null;
  return transformCached(source, {
    id: pathOf(url),
    ...languageOf(url, givenFormat),
    formats,
    runtime: RUNTIME,
    isEntry: url === entry,
    awaits: !onlyEntry,
    map: needsMaps(),
    cache,
  });
}

/** Lines are right without. Coverage counts characters, and who has asked for maps gets columns. */
function needsMaps(): boolean {
  return process.sourceMapsEnabled || process.env["NODE_V8_COVERAGE"] !== undefined;
}

type Change = (source: string, filename: string, format?: string) => string | null;

/**
 * Loaders that have replaced `require` or read files on another thread never come to the hooks with CommonJS: but all of
 * them compile it here. What the hooks have changed already is not changed again.
 */
function changeCompiled(change: Change): void {
  const { prototype } = nodeModule.Module;
  const compile: unknown = Reflect.get(prototype, "_compile");
  if (typeof compile !== "function") return;
  Reflect.set(prototype, "_compile", function (this: unknown, source: string, filename: string, ...rest: [string?]) {
    return Reflect.apply(compile, this, [change(source, filename, ...rest) ?? source, filename, ...rest]);
  });
}

function pathOf(url: string): string {
  return url.startsWith("file:") ? fileURLToPath(url.replace(/[?#].*$/, "")) : url;
}

/** Without an answer it is what the name of the file says: another loader calls TypeScript what it makes of it later. */
function languageOf(url: string, format: string | null | undefined): { readonly language?: "ts" | "js" } {
  if (format?.endsWith("typescript") === true) return { language: "ts" };
  return url.startsWith("file:") ? {} : { language: "js" };
}

function textOf(source: unknown): string | null {
  if (typeof source === "string") return source;
  if (source instanceof Uint8Array) return Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString();
  return source instanceof ArrayBuffer ? Buffer.from(source).toString() : null;
}
