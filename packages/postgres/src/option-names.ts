// Which options there are. A name that is none would be ignored silently, and with it what was meant.

import { badArgument } from "./checks.ts";
import type { ConnectOptions } from "./connect-options.ts";
import type { EmbeddedOptions } from "./embedded.ts";
import { PostgresError } from "./errors.ts";

/** One entry for each option of a type: the compiler sees to it that none is missing. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** The options of a connection. */
export const CONNECT_NAMES: OptionNames<ConnectOptions> = {
  dsn: true,
  host: true,
  port: true,
  user: true,
  password: true,
  database: true,
  applicationName: true,
  ssl: true,
  directTls: true,
  passfile: true,
  service: true,
  connectTimeoutMs: true,
  statementTimeoutMs: true,
  cancelTimeoutMs: true,
  serverSettings: true,
  targetSessionAttrs: true,
  statementCacheSize: true,
  pgBouncer: true,
  types: true,
  keepAliveMs: true,
};

/** The options of a server of one's own. */
export const EMBEDDED_NAMES: OptionNames<EmbeddedOptions> = {
  dataDir: true,
  binDir: true,
  settings: true,
  tcp: true,
  startTimeoutMs: true,
};

/** What other drivers call them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  connectionString: "dsn",
  url: "dsn",
  hostname: "host",
  username: "user",
  db: "database",
  max: "maxSize",
  min: "minSize",
  idleTimeoutMillis: "maxIdleMs",
  connectionTimeoutMillis: "acquireTimeoutMs",
  application_name: "applicationName",
  statement_timeout: "statementTimeoutMs",
};

/**
 * Refuses what is no plain object, and names that are no options.
 *
 * @throws {@link PostgresError} `MW_ERR_PG_INVALID_ARGUMENT`
 */
export function checkNames(
  name: string,
  options: unknown,
  names: Readonly<Record<string, true>>,
): asserts options is object {
  if (options instanceof URL) throw badArgument(name, options, "the DSN as a string: url.href");
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw badArgument(name, options, "an object");
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(names, key)) continue;
    const meant = Object.hasOwn(ELSEWHERE, key) ? ELSEWHERE[key] : undefined;
    const advice = meant === undefined ? `pass some of ${Object.keys(names).join(", ")}` : `pass '${meant}'`;
    throw new PostgresError("MW_ERR_PG_INVALID_ARGUMENT", `Cannot use '${key}': there is no such option; ${advice}`);
  }
}

/** Checks the option `embedded`. */
export function checkEmbedded(embedded: unknown): void {
  if (embedded === undefined || typeof embedded === "boolean") return;
  if (typeof embedded !== "object") throw badArgument("embedded", embedded, "true, false or an object");
  checkNames("embedded", embedded, EMBEDDED_NAMES);
}
