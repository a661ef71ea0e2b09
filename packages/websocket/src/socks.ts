// Asks a SOCKS proxy for a connection. The package is loaded by the first who needs it.

import type { Socket } from "node:net";

import type { SocksClient } from "socks";

import { DialFailure } from "./dial-failure.ts";
import type { Dialing } from "./dialing.ts";
import type { Proxy } from "./proxies.ts";

/** What is asked of which proxy. */
export interface SocksPlan {
  readonly proxy: Proxy;
  /** A name if the proxy is to look it up. */
  readonly host: string;
  readonly port: number;
}

/** What `socks` says where another attempt gets the same answer: who asks may not, or it is no such proxy. */
const LASTING = /invalid|authentication|NotAllowed|NotSupported|\(Rejected/i;

/** Calls `then` when the connection stands: what is written to the socket from there on goes to the server. */
export function openSocks(dialing: Dialing, socket: Socket, plan: SocksPlan, then: () => void): void {
  import("socks").then(
    (socks) => {
      if (!dialing.isOver) negotiate(socks.SocksClient, dialing, socket, plan, then);
    },
    (error: Error) => dialing.fail(error),
  );
}

function negotiate(
  Client: typeof SocksClient,
  dialing: Dialing,
  socket: Socket,
  { proxy, host, port }: SocksPlan,
  then: () => void,
): void {
  // Its errors hold the password of the proxy: only their text is passed on.
  const refuse = (error: unknown): void => {
    const why = error instanceof Error ? error.message : "unknown error";
    const what = `its proxy ${proxy.name} did not connect it (${why})`;
    dialing.fail(new DialFailure("MW_ERR_WS_PROXY", what, { isLasting: LASTING.test(why) }));
  };
  const { userId, password } = proxy;
  try {
    const client = new Client({
      command: "connect",
      destination: { host, port },
      proxy: {
        host: proxy.host,
        port: proxy.port,
        type: proxy.kind.startsWith("socks4") ? 4 : 5,
        ...(userId === "" && password === "" ? {} : { userId, password }),
      },
    });
    client.on("error", refuse);
    client.on("established", then);
    client.connect(socket);
  } catch (error) {
    refuse(error);
  }
}
