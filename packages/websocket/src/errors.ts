// Every error of the package and every code it uses. A class exists only where callers catch it apart.
// No error shows a secret: no password, no query of a URL, no header.

import { type ClosedInfo, meaningOf } from "./close-codes.ts";
import { printable, redactUrl } from "./redact.ts";

/** The stable codes of errors thrown by this package. */
export type WebSocketErrorCode =
  | "MW_ERR_WS_BUSY"
  | "MW_ERR_WS_CLOSED"
  | "MW_ERR_WS_CONNECT"
  | "MW_ERR_WS_DNS"
  | "MW_ERR_WS_HANDSHAKE"
  | "MW_ERR_WS_INVALID_ARGUMENT"
  | "MW_ERR_WS_INVALID_URL"
  | "MW_ERR_WS_LISTEN"
  | "MW_ERR_WS_MESSAGE"
  | "MW_ERR_WS_OPEN_TIMEOUT"
  | "MW_ERR_WS_PING_TIMEOUT"
  | "MW_ERR_WS_PROXY"
  | "MW_ERR_WS_REDIRECT"
  | "MW_ERR_WS_SUBPROTOCOL"
  | "MW_ERR_WS_TLS";

/** Something could not be done. The class of all errors of this package; `code` tells them apart. */
export class WebSocketError extends Error {
  override readonly name: string = "WebSocketError";
  /** Stable code of the error. */
  readonly code: WebSocketErrorCode;

  /** @internal */
  constructor(code: WebSocketErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * No connection could be made to where the handshake could have begun, or it was not answered in time: `MW_ERR_WS_CONNECT`,
 * `MW_ERR_WS_DNS`, `MW_ERR_WS_TLS`, `MW_ERR_WS_PROXY` or `MW_ERR_WS_OPEN_TIMEOUT`.
 */
export class ConnectError extends WebSocketError {
  override readonly name: string = "ConnectError";
  /** Where it was to lead, without user name, password and query. */
  readonly url: string;
  /** The status that an HTTP proxy refused with; undefined if it was something else. */
  readonly proxyStatus: number | undefined;
  /** Whether trying again cannot help: a certificate is not accepted, or a proxy refuses, or is none. */
  readonly isLasting: boolean;

  /** @internal */
  constructor(
    code: WebSocketErrorCode,
    url: URL,
    what: string,
    options?: ErrorOptions & { proxyStatus?: number | undefined; isLasting?: boolean },
  ) {
    const shown = redactUrl(url);
    super(code, `Cannot connect to ${shown}: ${what}`, options);
    this.url = shown;
    this.proxyStatus = options?.proxyStatus;
    this.isLasting = options?.isLasting ?? false;
  }
}

/** What a server answered instead of opening a connection. */
export interface RefusingAnswer {
  /** The status code, like 403. */
  readonly status: number;
  /** The reason phrase, as it came; may be empty. */
  readonly statusText: string;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The start of the body, up to 4 KiB. */
  readonly body: string;
}

/**
 * The server answered, and did not open a connection: `MW_ERR_WS_HANDSHAKE`; or it did, with a subprotocol that was not asked
 * for: `MW_ERR_WS_SUBPROTOCOL`; or it led elsewhere, and there must not be gone: `MW_ERR_WS_REDIRECT`.
 *
 * @example
 * ```ts
 * import { connect, HandshakeError, serve } from "@meanwhile/websocket";
 * import { run } from "meanwhile";
 *
 * await run(async () => {
 *   await using server = await serve(null, { routes: {} });
 *   try {
 *     await using socket = await connect(server.url);
 *   } catch (error) {
 *     if (error instanceof HandshakeError) console.log(error.status); //> 404
 *   }
 * });
 * ```
 */
export class HandshakeError extends WebSocketError {
  override readonly name: string = "HandshakeError";
  /** Where it was to lead, without user name, password and query. */
  readonly url: string;
  /** The status code of the answer, like 403; undefined if it was no HTTP that could be read. */
  readonly status: number | undefined;
  readonly #answer: RefusingAnswer | undefined;

  /** @internal */
  constructor(
    code: WebSocketErrorCode,
    url: URL,
    what: string,
    options?: ErrorOptions & { answer?: RefusingAnswer | undefined },
  ) {
    const shown = redactUrl(url);
    super(code, `Cannot connect to ${shown}: ${what}`, options);
    this.url = shown;
    this.#answer = options?.answer;
    this.status = options?.answer?.status;
  }

  /** The header of the answer, names in small letters. In no dump of the error: there may be cookies in it. */
  get headers(): RefusingAnswer["headers"] {
    return this.#answer?.headers ?? {};
  }

  /** The start of the body of the answer, up to 4 KiB. */
  get body(): string {
    return this.#answer?.body ?? "";
  }
}

/**
 * The connection is closed, or was closed meanwhile: `MW_ERR_WS_CLOSED`; or it was closed because the peer did not answer a
 * ping: `MW_ERR_WS_PING_TIMEOUT`. What had arrived before was delivered.
 *
 * @example
 * ```ts
 * import { connect, ConnectionClosedError, serve } from "@meanwhile/websocket";
 * import { run } from "meanwhile";
 *
 * await run(async () => {
 *   await using server = await serve((socket) => socket.close(4001, "full"));
 *   await using socket = await connect(server.url);
 *   try {
 *     await socket.recv();
 *   } catch (error) {
 *     if (error instanceof ConnectionClosedError) console.log(error.closeCode, error.reason, error.by); //> 4001 full peer
 *   }
 * });
 * ```
 */
export class ConnectionClosedError extends WebSocketError {
  override readonly name: string = "ConnectionClosedError";
  /** The close code; see {@link ClosedInfo}. */
  readonly closeCode: number;
  /** What was said with it. */
  readonly reason: string;
  /** Who ended it. */
  readonly by: ClosedInfo["by"];
  /** Whether both sides had sent a close frame. */
  readonly wasClean: boolean;

  /** @internal */
  constructor(
    doing: string,
    info: ClosedInfo,
    details: ErrorOptions & { code?: WebSocketErrorCode; why?: string } = {},
  ) {
    super(details.code ?? "MW_ERR_WS_CLOSED", `Cannot ${doing}: ${details.why ?? whyClosed(info)}`, details);
    this.closeCode = info.code;
    this.reason = info.reason;
    this.by = info.by;
    this.wasClean = info.wasClean;
  }
}

function whyClosed({ code, reason, by }: ClosedInfo): string {
  if (by === "network") return "the connection was lost, without a close frame; open another one";
  const who = by === "us" ? "this side" : "the peer";
  const said = reason === "" ? "" : `, saying "${printable(reason)}"`;
  return `${who} closed the connection with ${code} (${meaningOf(code)})${said}; open another one`;
}
