// The public API of @meanwhile/websocket: this list is it.

export type { ReconnectEvent } from "./attempts.ts";
export { broadcast, type BroadcastOptions, type BroadcastResult } from "./broadcast.ts";
export type { ClosedInfo } from "./close-codes.ts";
export { connect } from "./connect.ts";
export type { ConnectOptions } from "./connect-options.ts";
export { Connection, type HandshakeHeaders } from "./connection.ts";
export type { ConnectionOptions, QueueLimits } from "./connection-options.ts";
export type { ConnectionStatistics } from "./connection-statistics.ts";
export type { DeflateOptions } from "./deflate.ts";
export {
  ConnectError,
  ConnectionClosedError,
  HandshakeError,
  type RefusingAnswer,
  WebSocketError,
  type WebSocketErrorCode,
} from "./errors.ts";
export type { WebSocketWarningCode } from "./handler-failures.ts";
export type { Message, Sendable } from "./message.ts";
export type { AllowedOrigins } from "./origins.ts";
export type { PeerAddress } from "./peer-address.ts";
export { type Refusal, refuse } from "./refusal.ts";
export type { Authenticate, ChooseSubprotocol, Handler, ServeErrorInfo, ServeOptions } from "./serve-options.ts";
export { serve } from "./serve.ts";
export type { ServerCloseOptions } from "./server-close.ts";
export { ServerConnection } from "./server-connection.ts";
export type { ServerRequest } from "./server-request.ts";
export { Server } from "./server.ts";
export type { ServerStatistics } from "./server-statistics.ts";
export { isTransient, reconnecting, type ReconnectPolicy } from "./reconnecting.ts";
export type { HeadersInput } from "./request-fields.ts";
export { TRACE_CHANNEL, type TraceEvent, type TraceEventKind, type TraceListener } from "./trace.ts";
