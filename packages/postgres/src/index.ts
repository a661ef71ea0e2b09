// The public API of @meanwhile/postgres: this list is it.

export type { CommandResult } from "./command-tag.ts";
export { connect, type ConnectionOptions } from "./connect.ts";
export type { ConnectOptions, PasswordSource, SslMode, TargetSessionAttrs } from "./connect-options.ts";
export { Connection } from "./connection.ts";
export type { CopySource } from "./copy.ts";
export type { CopyQuery, CopyTable, CopyTarget, CopyToTarget } from "./copy-target.ts";
export { createPool } from "./create-pool.ts";
export { Cursor } from "./cursor.ts";
export { type EmbeddedOptions, type EmbeddedServer, startEmbedded } from "./embedded.ts";
export {
  ConnectError,
  type ConnectionHolder,
  ConnectionLostError,
  PoolTimeoutError,
  PostgresError,
  type PostgresErrorCode,
  SqlError,
} from "./errors.ts";
export { Listener, type ListenOptions, type NotificationEvent } from "./listener.ts";
export { type AcquireOptions, type CloseOptions, Pool } from "./pool.ts";
export type { PoolOptions, ResetOption } from "./pool-options.ts";
export { PooledConnection } from "./pooled-connection.ts";
export { type Column, PreparedStatement } from "./prepared-statement.ts";
export type { Queryable, Row } from "./queryable.ts";
export { Sql, sql, type SqlInput, type SqlTag } from "./sql.ts";
export type { PoolStatistics } from "./statistics.ts";
export { TRACE_CHANNEL, type TraceEvent, type TraceEventKind, type TraceListener } from "./trace.ts";
export { isSerializationFailure, type TransactionOptions } from "./transaction.ts";
export type { ParseValue, TypeCodec, TypeParsers } from "./types.ts";
