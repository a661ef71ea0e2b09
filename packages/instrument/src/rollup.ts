// The plugin for rollup.

import { plugin } from "./plugin.ts";

/**
 * Instruments the code that rollup builds: cancellation reaches its every await, and suspended functions know their line.
 *
 * @example
 * ```ts no-run
 * import { instrument } from "@meanwhile/instrument/rollup";
 *
 * export const plugins = [instrument({ packages: ["p-map"] })];
 * ```
 */
export const instrument: typeof plugin.rollup = plugin.rollup;
