// The plugin for esbuild.

import { plugin } from "./plugin.ts";

/**
 * Instruments the code that esbuild builds: cancellation reaches its every await, and suspended functions know their line.
 *
 * @example
 * ```ts no-run
 * import { instrument } from "@meanwhile/instrument/esbuild";
 *
 * export const plugins = [instrument({ packages: ["p-map"] })];
 * ```
 */
export const instrument: typeof plugin.esbuild = plugin.esbuild;
