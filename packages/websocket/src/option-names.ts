// Which options there are. A name that is none would be ignored silently, and with it what was meant.

import { badArgument } from "./checks.ts";
import { WebSocketError } from "./errors.ts";

/** One entry for each option of a type: the compiler sees to it that none is missing. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** What other packages call them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  additional_headers: "headers",
  additionalHeaders: "headers",
  extraHeaders: "headers",
  protocol: "subprotocols",
  protocols: "subprotocols",
  perMessageDeflate: "compression",
  handshakeTimeout: "openTimeoutMs",
  openTimeout: "openTimeoutMs",
  closeTimeout: "closeTimeoutMs",
  pingInterval: "pingIntervalMs",
  pingTimeout: "pingTimeoutMs",
  maxPayload: "maxMessageBytes",
  maxSize: "maxMessageBytes",
  maxQueue: "queue",
  writeLimit: "writeLimitBytes",
  agent: "proxy",
  origins: "allowedOrigins",
  handleProtocols: "subprotocols",
  verifyClient: "authenticate",
  path: "routes",
};

/**
 * Refuses what is no plain object, and names that are no options.
 *
 * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT`
 */
export function checkNames(name: string, options: unknown, names: Readonly<Record<string, true>>): void {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw badArgument(name, options, "an object");
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(names, key)) continue;
    const other = Object.hasOwn(ELSEWHERE, key) ? ELSEWHERE[key] : undefined;
    const meant = other !== undefined && Object.hasOwn(names, other) ? other : undefined;
    const advice = meant === undefined ? `pass some of ${Object.keys(names).join(", ")}` : `pass '${meant}'`;
    throw new WebSocketError("MW_ERR_WS_INVALID_ARGUMENT", `Cannot use '${key}': there is no such option; ${advice}`);
  }
}
