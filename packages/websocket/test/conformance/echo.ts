// The program that is tested: it echoes, and tells what it saw.

import { createTask, run } from "meanwhile";

import { connect } from "../../src/connect.ts";
import type { Connection } from "../../src/connection.ts";
import { serve } from "../../src/serve.ts";
import type { Case, Message } from "./case.ts";
import { headerOf, openRaw, type RawPeer, RawServer } from "./raw-peer.ts";

/** What the program of an endpoint saw of a connection. */
export interface Seen {
  readonly messages: readonly Message[];
  /** What ended its loop; null for a loop that ended by itself. */
  readonly error: unknown;
  readonly closed: { readonly code: number; readonly reason: string; readonly by: string };
}

/** Echoes until the connection ends. */
export async function echo(socket: Connection): Promise<Seen> {
  const messages: Message[] = [];
  let error: unknown = null;
  try {
    for await (const message of socket) {
      messages.push(message);
      // What has arrived is given also when nothing can be sent any more.
      await socket.send(message).catch(() => undefined);
    }
  } catch (thrown) {
    error = thrown;
  }
  const { code, reason, by } = await socket.waitClosed();
  return { messages, error, closed: { code, reason, by } };
}

/** The bytes of one connection to an endpoint that echoes. */
export interface Wire {
  readonly peer: RawPeer;
  /** The extensions that were agreed on. */
  readonly extensions: string | undefined;
  /** Settled when the program is done with the connection. */
  readonly seen: Promise<Seen>;
}

export type Settings = Pick<Case, "options" | "extensions">;

/** Opens a connection to an endpoint that echoes, and does something with its bytes. */
export type Endpoint = (settings: Settings, body: (wire: Wire) => Promise<void>) => Promise<void>;

/** A server that echoes, for each connection a new one. */
export const theServer: Endpoint = ({ options, extensions }, body) =>
  run(async () => {
    const seen = Promise.withResolvers<Seen>();
    await using server = await serve(async (socket) => seen.resolve(await echo(socket)), options);
    const { peer, answer } = await openRaw(server.port ?? 0, extensions === undefined ? {} : { extensions });
    using _ = peer;
    await body({ peer, extensions: headerOf(answer, "sec-websocket-extensions"), seen: seen.promise });
  });

/** A client that echoes. */
export const theClient: Endpoint = ({ options, extensions }, body) =>
  run(async () => {
    await using server = await RawServer.start();
    const accepting = server.accept(() => extensions);
    await using socket = await connect(server.url, options);
    using peer = await accepting;
    const seen = createTask(() => echo(socket));
    await body({ peer, extensions, seen: Promise.resolve(seen) });
  });
