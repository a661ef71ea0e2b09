// The servers of the proofs: each can be stopped and started.

import { startOwnServer } from "../../../postgres/test/servers.ts";
import { noRedis, RedisServer } from "../redis-server.ts";

/** A server that can be restarted, and knows then what it knew before. */
export interface Restartable extends AsyncDisposable {
  readonly url: string;
  restart(): Promise<void>;
}

/** A kind of server. */
export interface Kind {
  readonly name: string;
  readonly skip: string | false;
  start(): Promise<Restartable>;
}

export const KINDS: readonly Kind[] = [
  {
    name: "Redis",
    skip: noRedis,
    async start() {
      const server = await RedisServer.start({ isKept: true });
      return {
        url: server.url,
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
    async start() {
      // What was committed must be there after a crash.
      const server = await startOwnServer({ settings: { max_connections: "200", synchronous_commit: "on" } });
      return {
        url: server.dsn,
        restart: () => server.restart("immediate"),
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  },
];
