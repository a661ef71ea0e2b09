// What a pool can be told, with its defaults.

import { badArgument, checks } from "./checks.ts";
import type { ConnectOptions } from "./connect-options.ts";
import type { Connection } from "./connection.ts";
import type { EmbeddedOptions } from "./embedded.ts";
import { checkEmbedded, checkNames, CONNECT_NAMES, type OptionNames } from "./option-names.ts";
import type { TraceListener } from "./trace.ts";

/**
 * When what a user of a connection has changed of its session is undone as he gives it back.
 *
 * - `"auto"`: if one of his statements has a word that can change it, like `set`, `listen` or `pg_advisory_lock`. Costs a
 *   round trip only then. What a function does inside is not seen.
 * - `"always"`: each time, as asyncpg does. Costs a round trip each time.
 * - `false`: never, as other drivers for Node do.
 * - a function: it is called each time.
 *
 * A transaction that was left open is rolled back in any case.
 */
export type ResetOption = "auto" | "always" | false | ((connection: Connection) => unknown);

/** Options of {@link createPool}. */
export interface PoolOptions extends ConnectOptions {
  /** How many connections are kept however long they are idle; `pool.ready()` opens them. Default: 0. */
  readonly minSize?: number | undefined;
  /** How many connections there may be at once. Default: 10. */
  readonly maxSize?: number | undefined;
  /** How long a call waits for a connection, in milliseconds; `Infinity` for no limit. Default: 30 000. */
  readonly acquireTimeoutMs?: number | undefined;
  /** After how many uses a connection is replaced. Default: 50 000. */
  readonly maxQueries?: number | undefined;
  /** After how long without use a connection is closed, in milliseconds. Default: 300 000. */
  readonly maxIdleMs?: number | undefined;
  /** How old a connection may get, in milliseconds; one that is in use is replaced afterwards. Default: 3 600 000. */
  readonly maxLifetimeMs?: number | undefined;
  /** How long making a connection ready for the next one may take before it is replaced, in milliseconds. Default: 5 000. */
  readonly resetTimeoutMs?: number | undefined;
  /** Is called once for each new connection, before anybody gets it. It has `connectTimeoutMs`. */
  readonly init?: ((connection: Connection) => unknown) | undefined;
  /** Is called each time before somebody gets a connection. */
  readonly setup?: ((connection: Connection) => unknown) | undefined;
  /** Default: `"auto"`; with `pgBouncer` `false`. */
  readonly reset?: ResetOption | undefined;
  /** Is told of every step. */
  readonly trace?: TraceListener | undefined;
  /** Whether to start a server of one's own, and how. Default: if nothing says where there is one. */
  readonly embedded?: boolean | EmbeddedOptions | undefined;
}

/** The same, with nothing left open. */
export interface PoolSettled {
  readonly minSize: number;
  readonly maxSize: number;
  readonly acquireTimeoutMs: number;
  readonly maxQueries: number;
  readonly maxIdleMs: number;
  readonly maxLifetimeMs: number;
  readonly resetTimeoutMs: number;
  readonly init: ((connection: Connection) => unknown) | null;
  readonly setup: ((connection: Connection) => unknown) | null;
  readonly reset: ResetOption;
}

const NAMES: OptionNames<PoolOptions> = {
  ...CONNECT_NAMES,
  minSize: true,
  maxSize: true,
  acquireTimeoutMs: true,
  maxQueries: true,
  maxIdleMs: true,
  maxLifetimeMs: true,
  resetTimeoutMs: true,
  init: true,
  setup: true,
  reset: true,
  trace: true,
  embedded: true,
};

/**
 * Checks the options of a pool that are not of its connections.
 *
 * @throws {@link PostgresError} `MW_ERR_PG_INVALID_ARGUMENT`
 */
export function settlePool(options: PoolOptions): PoolSettled {
  checkNames("options", options, NAMES);
  checkEmbedded(options.embedded);
  const { minSize = 0, maxSize = 10, maxQueries = 50_000, resetTimeoutMs = 5_000 } = options;
  const { acquireTimeoutMs = 30_000, maxIdleMs = 300_000, maxLifetimeMs = 3_600_000 } = options;
  checks.count("maxSize", maxSize, 1);
  checks.count("minSize", minSize, 0);
  if (minSize > maxSize) throw badArgument("minSize", minSize, `at most 'maxSize', which is ${maxSize}`);
  checks.count("maxQueries", maxQueries, 1);
  for (const [name, ms] of Object.entries({ acquireTimeoutMs, maxIdleMs, maxLifetimeMs, resetTimeoutMs })) {
    checks.ms(name, ms);
  }
  const { init, setup, trace, pgBouncer = false, reset = pgBouncer ? false : "auto" } = options;
  for (const [name, hook] of Object.entries({ init, setup, trace })) {
    checks.function(name, hook);
  }
  if (reset !== false && reset !== "auto" && reset !== "always" && typeof reset !== "function") {
    throw badArgument("reset", reset, '"auto", "always", false or a function');
  }
  const limits = { minSize, maxSize, acquireTimeoutMs, maxQueries, maxIdleMs, maxLifetimeMs, resetTimeoutMs };
  return { ...limits, init: init ?? null, setup: setup ?? null, reset };
}
