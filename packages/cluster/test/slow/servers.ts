// The servers of the proofs: each can be stopped and started.

import { startOwnServer } from "../../../postgres/test/servers.ts";
import { noRedis, RedisServer } from "../redis-server.ts";

/** A server that can be restarted, and knows then what it knew before. */
export interface Restartable extends AsyncDisposable {
  readonly url: string;
  restart(): Promise<void>;
  /** Where it is for those who come from outside. */
  urlAt(address: string): string;
}

/** A kind of server. */
export interface Kind {
  readonly name: string;
  readonly skip: string | false;
  /** @param address - where it listens too */
  start(address?: string): Promise<Restartable>;
}

export const KINDS: readonly Kind[] = [
  {
    name: "Redis",
    skip: noRedis,
    async start(address) {
      const server = await RedisServer.start({ isKept: true, ...(address === undefined ? {} : { address }) });
      return {
        url: server.url,
        urlAt: (from) => `redis://${from}:${server.port}`,
        async restart() {
          await server.stop("SIGKILL");
          await server.start();
        },
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  },
  {
    name: "PostgreSQL",
    skip: false,
    async start(address) {
      const listen = ["127.0.0.1", ...(address === undefined ? [] : [address])].join();
      // What was committed must be there after a crash.
      const server = await startOwnServer({
        settings: { max_connections: "200", synchronous_commit: "on", listen_addresses: listen },
        hba: "local all all trust\nhost all all 0.0.0.0/0 trust\n",
      });
      return {
        url: server.dsn,
        urlAt: (from) => `postgresql://postgres@${from}:${server.port}/postgres`,
        restart: () => server.restart("immediate"),
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  },
];
