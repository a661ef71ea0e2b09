// How a pool is made.

import type { PoolOptions } from "./pool-options.ts";
import { Pool } from "./pool.ts";

/**
 * Makes a {@link Pool}. Nothing is connected before the first call, or `pool.ready()`.
 *
 * Without a server in its argument or in the environment (`DATABASE_URL`, `PGHOST` and the like) it starts a PostgreSQL
 * of its own, which ends with the pool: see {@link startEmbedded}.
 *
 * @param dsnOrOptions - `postgresql://user@host/database`, or options
 * @throws {@link PostgresError} `MW_ERR_PG_INVALID_ARGUMENT`, `MW_ERR_PG_INVALID_DSN`
 *
 * @example
 * ```ts
 * import { createPool, sql } from "@meanwhile/postgres";
 *
 * await using pool = createPool({ maxSize: 5 });
 * const name = "Ada";
 * console.log(await pool.fetch(sql`select ${name} as name, ${36}::int as age`)); //> [ { name: 'Ada', age: 36 } ]
 * ```
 */
export function createPool(dsnOrOptions: string | PoolOptions = {}): Pool {
  return new Pool(typeof dsnOrOptions === "string" ? { dsn: dsnOrOptions } : dsnOrOptions);
}
