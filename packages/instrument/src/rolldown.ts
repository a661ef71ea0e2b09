// The plugin for rolldown.

import { plugin } from "./plugin.ts";

/**
 * Instruments the code that rolldown builds: cancellation reaches its every await, and suspended functions know their line.
 *
 * @example
 * ```ts no-run
 * import { instrument } from "@meanwhile/instrument/rolldown";
 *
 * export const plugins = [instrument({ packages: ["p-map"] })];
 * ```
 */
export const instrument: typeof plugin.rolldown = plugin.rolldown;
