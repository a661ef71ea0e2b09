// The plugin for vite.

import { plugin } from "./plugin.ts";

/**
 * Instruments the code that vite builds: cancellation reaches its every await, and suspended functions know their line.
 *
 * @example
 * ```ts no-run
 * import { instrument } from "@meanwhile/instrument/vite";
 *
 * export const plugins = [instrument({ packages: ["p-map"] })];
 * ```
 */
export const instrument: typeof plugin.vite = plugin.vite;
