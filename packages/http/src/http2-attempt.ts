// A connection for HTTP/2 while it is being made: for one request alone, or for whoever waits.

import type { Socket } from "node:net";

import type { Dial } from "./dialer.ts";
import type { Dialed, Dialing, DialTrace } from "./dialing.ts";
import type { Host } from "./pool.ts";
import type { StreamCarrier } from "./stream-carrier.ts";

export class Http2Attempt {
  /** Who alone it is for; null if it is for whoever waits. */
  readonly owner: StreamCarrier | null;
  #dialing: Dialing | null = null;
  #socket: Socket | null = null;

  constructor(owner: StreamCarrier | null) {
    this.owner = owner;
  }

  start({ origin, proxy, isPublicOnly }: Host, dial: Dial, trace: DialTrace, done: Dialed): void {
    const { hostname, port } = new URL(origin);
    const bare = hostname.replace(/^\[(.*)\]$/, "$1");
    const to = {
      hostname: bare,
      port: port === "" ? 443 : Number(port),
      isSecure: true,
      // That of the URL: a header field Host is no reason to believe another certificate.
      servername: bare,
      proxy,
      isPublicOnly,
      isHttp2: true,
    };
    const onLayer = (socket: Socket): void => {
      this.#socket = socket;
    };
    this.#dialing = dial(to, trace, onLayer, done);
  }

  /** Closes what there is and calls nobody back. */
  abort(): void {
    this.#dialing?.abort();
    this.#socket?.destroy();
  }
}

/** What both sides have agreed to speak; null if they have not. */
export function alpnOf(socket: Socket): string | null {
  const alpn = "alpnProtocol" in socket ? socket.alpnProtocol : null;
  return typeof alpn === "string" ? alpn : null;
}
