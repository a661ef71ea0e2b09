// The load hook: every file of the program is transformed on its way into Node.

import * as nodeModule from "node:module";
import { fileURLToPath } from "node:url";

import { transformCached } from "./cache.ts";
import { chooses } from "./choice.ts";

/** What the hook needs to know. */
export interface HookOptions {
  /** Packages under `node_modules` that are instrumented too; names as in `import`, or a scope like `@acme/*`. */
  readonly packages: readonly string[];
  /** The file that counts as the program: `import.meta.main` is true in it. Its URL; default: none. */
  readonly entry?: string | undefined;
  /** Whether only the program's first file is changed, and only so that it is the main module. */
  readonly onlyEntry: boolean;
  /** Whether files are kept transformed on disk. */
  readonly cache: boolean;
}

const RUNTIME = new URL(import.meta.url.endsWith(".ts") ? "./runtime.ts" : "./runtime.js", import.meta.url).href;

const FORMATS: Readonly<Record<string, "module" | "commonjs">> = {
  module: "module",
  "module-typescript": "module",
  commonjs: "commonjs",
  "commonjs-typescript": "commonjs",
};

/** Transforms what is loaded from now on, in this thread. */
export function installHook({ packages, entry, onlyEntry, cache }: HookOptions): void {
  nodeModule.registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const format = FORMATS[loaded.format ?? ""];
      if (format === undefined || !(onlyEntry ? url === entry : chooses(url, packages))) return loaded;
      const source = textOf(loaded.source);
      if (source === null) return loaded;
      const path = url.startsWith("file:") ? fileURLToPath(url.replace(/[?#].*$/, "")) : url;
      const isTypeScript = loaded.format?.endsWith("-typescript") === true;
      const changed = transformCached(source, {
        id: path,
        language: isTypeScript ? "ts" : "js",
        format,
        runtime: RUNTIME,
        isEntry: url === entry,
        awaits: !onlyEntry,
        cache,
      });
      return changed === null ? loaded : { ...loaded, source: changed };
    },
  });
}

function textOf(source: unknown): string | null {
  if (typeof source === "string") return source;
  if (source instanceof Uint8Array) return Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString();
  return source instanceof ArrayBuffer ? Buffer.from(source).toString() : null;
}
