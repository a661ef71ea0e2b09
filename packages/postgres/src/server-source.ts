// Where the connections of a pool lead: to the server that was named, or to one of our own, started when it is needed.

import type { ConnectSettled } from "./connect-options.ts";
import { settleConnect } from "./connect-settings.ts";
import { type EmbeddedOptions, type EmbeddedServer, sharedEmbedded } from "./embedded.ts";
import { environmentNamesServer } from "./environment.ts";
import type { PoolOptions } from "./pool-options.ts";

/** Whether anything says where there is a server. */
function namesServer({ dsn, host, port, service }: PoolOptions): boolean {
  if (dsn !== undefined || host !== undefined || port !== undefined || service !== undefined) return true;
  return environmentNamesServer();
}

export class ServerSource {
  readonly #options: PoolOptions;
  readonly #embedded: EmbeddedOptions | null;
  #server: EmbeddedServer | null = null;
  #settled: ConnectSettled | null = null;
  #isStopped = false;

  /** @throws {@link PostgresError} for options that cannot be used, unless the server is one of our own */
  constructor(options: PoolOptions) {
    const { embedded = !namesServer(options) } = options;
    this.#options = options;
    if (embedded === false) this.#embedded = null;
    else this.#embedded = embedded === true ? {} : embedded;
    if (this.#embedded === null) this.#settled = settleConnect(options);
  }

  /** How to connect. Starts the server if it is ours and does not run. */
  async settled(): Promise<ConnectSettled> {
    if (this.#settled !== null) return this.#settled;
    const server = await sharedEmbedded(this.#embedded ?? {});
    if (this.#isStopped || this.#server !== null) await server.stop();
    else this.#server = server;
    return (this.#settled ??= settleConnect({ ...this.#options, dsn: server.dsn }, true));
  }

  /**
   * Starts another server if the one of our own has ended, whoever ended it. False if there is none: then how to connect is
   * what it was.
   */
  async renew(): Promise<boolean> {
    if (this.#server === null) return false;
    const server = await sharedEmbedded(this.#embedded ?? {});
    const before = this.#server;
    if (before === null || before.pid === server.pid) {
      await server.stop();
      return false;
    }
    this.#server = server;
    this.#settled = settleConnect({ ...this.#options, dsn: server.dsn }, true);
    await before.stop();
    return true;
  }

  /** Gives the server back. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const server = this.#server;
    this.#server = null;
    this.#settled = null;
    await server?.stop();
  }
}
