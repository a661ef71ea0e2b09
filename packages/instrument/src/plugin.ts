// The same transform for bundlers: for code that is built, and for what Node does not run itself, like TSX.

import { createUnplugin, type UnpluginInstance } from "unplugin";

import { chooses } from "./choice.ts";
import { isSource, transformOrWarn } from "./transform-file.ts";
import { formatOf } from "./transform/parse.ts";
import { warnNotInstrumented } from "./warnings.ts";

/** What a bundler plugin is told. */
export interface PluginOptions {
  /** Packages under `node_modules` that are instrumented too; names as in `import`, or a scope like `@acme/*`. Default: none. */
  readonly packages?: readonly string[] | undefined;
}

const RUNTIME = "@meanwhile/instrument/runtime";

/** Rollup knows ES modules alone, and what esbuild makes of `require` has no module to find where the runtime is external. */
const NO_COMMONJS: ReadonlySet<string> = new Set(["esbuild", "rollup"]);

/** The transform as a plugin of any bundler that unplugin knows. */
export const plugin: UnpluginInstance<PluginOptions | undefined, false> = createUnplugin((options, { framework }) => {
  const packages = options?.packages ?? [];
  return {
    name: "meanwhile-instrument",
    // Before types and JSX are taken out: places are those of the source.
    enforce: "pre",
    transformInclude: (id) => isSource(id) && chooses(urlOf(id), packages),
    transform(code, id) {
      const path = pathOf(id);
      const format = formatOf(code, path);
      if (format === "commonjs" && NO_COMMONJS.has(framework)) {
        if (/\bawait\b/.test(code))
          warnNotInstrumented(path, `it is CommonJS, which ${framework} cannot give a runtime`);
        return null;
      }
      const outcome = transformOrWarn(code, {
        id: path,
        formats: [format],
        runtime: RUNTIME,
        requiresRuntime: true,
        map: true,
      });
      return typeof outcome === "string" ? null : outcome;
    },
    // Browsers have no meanwhile: only what runs on a server is instrumented.
    vite: { applyToEnvironment: ({ config }) => config.consumer === "server" },
  };
});

function pathOf(id: string): string {
  return id.replace(/[?#].*$/, "");
}

function urlOf(id: string): string {
  return `file://${pathOf(id)}`;
}
