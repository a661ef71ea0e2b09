// A connection without a pool.

import type { ConnectOptions } from "./connect-options.ts";
import { Connection } from "./connection.ts";
import type { EmbeddedOptions } from "./embedded.ts";
import { openLink } from "./open-link.ts";
import { checkEmbedded, checkNames, CONNECT_NAMES, type OptionNames } from "./option-names.ts";
import { ServerSource } from "./server-source.ts";
import { Session } from "./session.ts";
import { Trace, type TraceListener } from "./trace.ts";

/** Options of {@link connect}. */
export interface ConnectionOptions extends ConnectOptions {
  /** Is told of every statement. */
  readonly trace?: TraceListener | undefined;
  /** Whether to start a server of one's own, and how. Default: if nothing says where there is one. */
  readonly embedded?: boolean | EmbeddedOptions | undefined;
}

const NAMES: OptionNames<ConnectionOptions> = { ...CONNECT_NAMES, trace: true, embedded: true };

/**
 * Opens one connection, without a pool. Leaving its block closes it.
 *
 * Cancellation: safe. A connection that is being opened is given up.
 *
 * @param dsnOrOptions - `postgresql://user@host/database`, or options. Default: as for {@link createPool}
 * @throws {@link ConnectError} `MW_ERR_PG_CONNECT`, `MW_ERR_PG_CONNECT_TIMEOUT`, `MW_ERR_PG_DNS`, `MW_ERR_PG_TLS`,
 * `MW_ERR_PG_AUTH`, `MW_ERR_PG_TARGET`
 * @throws {@link PostgresError} `MW_ERR_PG_INVALID_ARGUMENT`, `MW_ERR_PG_INVALID_DSN`
 *
 * @example
 * ```ts
 * import { connect } from "@meanwhile/postgres";
 *
 * await using connection = await connect();
 * console.log(await connection.fetchValue("select 'hello'")); //> hello
 * ```
 */
export async function connect(dsnOrOptions: string | ConnectionOptions = {}): Promise<Connection> {
  const options = typeof dsnOrOptions === "string" ? { dsn: dsnOrOptions } : dsnOrOptions;
  checkNames("options", options, NAMES);
  checkEmbedded(options.embedded);
  const source = new ServerSource(options);
  try {
    const link = await openLink(await source.settled());
    return new Connection(new Session(link, new Trace(options.trace)), () => source.stop());
  } catch (error) {
    await source.stop();
    throw error;
  }
}
