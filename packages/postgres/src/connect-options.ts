// How a connection is made: what can be told, and what it comes to when everything else has been asked.

import type { ConnectionOptions } from "node:tls";

import type { TypeRegistry } from "./type-registry.ts";
import type { TypeParsers } from "./types.ts";

/** How the connection is secured, as libpq has it. */
export type SslMode = "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full";

/** Which of several servers will do. */
export type TargetSessionAttrs = "any" | "read-write" | "read-only" | "primary" | "standby" | "prefer-standby";

/** A password, or what gets one: called for each connection, so that it can be one that expires. */
export type PasswordSource = string | (() => string | Promise<string>);

/**
 * How a connection is made. What is not given is taken from the DSN, then from the service, then from the `PG*` variables
 * of the environment, then from the defaults of libpq.
 *
 * @see {@link https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS}
 */
export interface ConnectOptions {
  /** `postgresql://user:password@host:port/database?…`, or `host=… dbname=…` as libpq has it. */
  readonly dsn?: string | undefined;
  /** A name, an address, the directory of a Unix socket, or several of them: tried in turn. Default: `localhost`. */
  readonly host?: string | ReadonlyArray<string> | undefined;
  /** One for all hosts, or one for each. Default: 5432. */
  readonly port?: number | ReadonlyArray<number> | undefined;
  /** Default: the name of the user of the process. */
  readonly user?: string | undefined;
  /** Default: what the password file has. */
  readonly password?: PasswordSource | undefined;
  /** Default: the name of the user. */
  readonly database?: string | undefined;
  /** What the server calls this client in its views. Default: `meanwhile`. */
  readonly applicationName?: string | undefined;
  /** A mode, or options of `tls.connect` for a connection that must be secure. Default: `prefer`. */
  readonly ssl?: SslMode | ConnectionOptions | undefined;
  /** Whether TLS begins at once, without asking the server first: PostgreSQL 17 and newer, and an `ssl` of `require` or more. Default: `false`. */
  readonly directTls?: boolean | undefined;
  /** Where passwords are kept. Default: `~/.pgpass`. */
  readonly passfile?: string | undefined;
  /** A section of `~/.pg_service.conf`. */
  readonly service?: string | undefined;
  /** For everything until the connection can be used, in milliseconds, for each host; in a pool, for its `init` as well. Default: 10 000. */
  readonly connectTimeoutMs?: number | undefined;
  /** The server gives up a statement that takes longer, in milliseconds. Default: what the server is configured for. */
  readonly statementTimeoutMs?: number | undefined;
  /** How long a cancelled statement may take to end before its connection is given up, in milliseconds. Default: 1 000. */
  readonly cancelTimeoutMs?: number | undefined;
  /** Settings of the session, as `SET` has them. */
  readonly serverSettings?: Readonly<Record<string, string>> | undefined;
  /** Which server of several hosts will do. Default: `any`. */
  readonly targetSessionAttrs?: TargetSessionAttrs | undefined;
  /** How many prepared statements a connection keeps; 0 for none. Default: 100. */
  readonly statementCacheSize?: number | undefined;
  /** Whether a PgBouncer that pools transactions or statements is between: nothing is kept from one call to the next. Default: `false`. */
  readonly pgBouncer?: boolean | undefined;
  /** How values of the server become values of JavaScript. */
  readonly types?: TypeParsers | undefined;
  /** After how long without traffic TCP asks whether the server is there, in milliseconds; 0 for never. Default: 60 000. */
  readonly keepAliveMs?: number | undefined;
}

/** One place where a server may be. */
export interface ServerAddress {
  /** A name or an address; the directory of a Unix socket begins with a slash. */
  readonly host: string;
  /** The address of the host, if it is not to be looked up. */
  readonly address: string | undefined;
  readonly port: number;
}

/** {@link ConnectOptions} with nothing left open: made once for a pool by `settleConnect`. */
export interface ConnectSettled {
  readonly servers: ReadonlyArray<ServerAddress>;
  readonly user: string;
  readonly password: PasswordSource | undefined;
  readonly passfile: string | undefined;
  readonly database: string;
  readonly sslMode: SslMode;
  readonly tls: ConnectionOptions;
  readonly directTls: boolean;
  readonly channelBinding: "disable" | "prefer" | "require";
  readonly connectTimeoutMs: number;
  readonly cancelTimeoutMs: number;
  /** Sent when the connection is made. */
  readonly startup: Readonly<Record<string, string>>;
  readonly targetSessionAttrs: TargetSessionAttrs;
  readonly loadBalance: boolean;
  readonly statementCacheSize: number;
  readonly pgBouncer: boolean;
  readonly types: TypeRegistry;
  readonly keepAliveMs: number;
}
