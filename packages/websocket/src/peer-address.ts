// Where the two ends of a connection are.

import type { Duplex } from "node:stream";

/** One end of a connection. */
export interface PeerAddress {
  /** An IP address. */
  readonly address: string;
  /** From 1 to 65 535. */
  readonly port: number;
}

/** The two ends of it; undefined where there is none, as with a Unix socket. */
export interface Ends {
  readonly local: PeerAddress | undefined;
  readonly remote: PeerAddress | undefined;
}

interface NetworkEnds {
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
}

/** Reads them while the connection is open: afterwards a socket does not know them any more. */
export function endsOf(transport: Duplex & NetworkEnds): Ends {
  const { localAddress, localPort, remoteAddress, remotePort } = transport;
  return { local: endOf(localAddress, localPort), remote: endOf(remoteAddress, remotePort) };
}

function endOf(address: string | undefined, port: number | undefined): PeerAddress | undefined {
  return address === undefined || port === undefined ? undefined : { address, port };
}
