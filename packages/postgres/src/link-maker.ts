// Makes the connections of a pool, and lets the functions of its user have them for a while.

import { cancellable, now } from "meanwhile";
import { enterScope } from "meanwhile/lowlevel";

import { Connection } from "./connection.ts";
import { DialFailure } from "./dial-failure.ts";
import { ConnectError } from "./errors.ts";
import { callHook, type Hook } from "./hooks.ts";
import { lostLink } from "./link-errors.ts";
import type { Link } from "./link.ts";
import { nameOf, openLink } from "./open-link.ts";
import type { ServerSource } from "./server-source.ts";
import { Session } from "./session.ts";
import { command } from "./statements.ts";
import type { Trace } from "./trace.ts";

const { performance } = globalThis;

export class LinkMaker {
  readonly #source: ServerSource;
  readonly #trace: Trace;
  readonly #init: Hook | null;

  constructor(source: ServerSource, trace: Trace, init: Hook | null) {
    this.#source = source;
    this.#trace = trace;
    this.#init = init;
  }

  /**
   * A connection for the pool. Each step is bounded: the start of a server of our own by `startTimeoutMs`, each host that is
   * tried by `connectTimeoutMs`, and `init` as well.
   *
   * Cancellation: safe. No socket is left.
   */
  async open(): Promise<Link> {
    const trace = this.#trace;
    const startedAt = performance.now();
    trace.tell({ kind: "connect-start" });
    let link: Link | null = null;
    try {
      link = await this.openBare();
      trace.tell({ kind: "connect-end", serverPid: link.pid, durationMs: performance.now() - startedAt });
      if (this.#init !== null) await this.#initialise(this.#init, link);
      if (link.status === "broken") throw lostLink(null, null);
      return link;
    } catch (error) {
      link?.destroy();
      trace.tell({ kind: "connect-error", error });
      throw error;
    }
  }

  /** What the hook does beyond its time, or when the pool was closed, it does with a connection that was ended. */
  async #initialise(init: Hook, link: Link): Promise<void> {
    const { connectTimeoutMs, servers } = link.settled;
    const deadline = now() + connectTimeoutMs;
    const ending = await enterScope(() => cancellable(this.call(init, link)), { deadline });
    if (ending.kind === "value") return;
    const what = `'init' has not ended within ${connectTimeoutMs} ms; do less in it, or raise 'connectTimeoutMs'`;
    const [server] = servers;
    const name = server === undefined ? "PostgreSQL" : nameOf(server, link.settled);
    throw new DialFailure("MW_ERR_PG_CONNECT_TIMEOUT", what).toError(name);
  }

  /** A connection that is none of the pool's. */
  async openBare(): Promise<Link> {
    const settled = await this.#source.settled();
    try {
      return await openLink(settled);
    } catch (error) {
      const isGone = error instanceof ConnectError && error.code === "MW_ERR_PG_CONNECT";
      if (!isGone || !(await this.#source.renew())) throw error;
      return openLink(await this.#source.settled());
    }
  }

  /** Lets a function have the connection until it ends; a transaction it has left open is rolled back. */
  async call(hook: Hook, link: Link): Promise<void> {
    const session = new Session(link, this.#trace);
    try {
      await callHook(hook, new Connection(session));
    } finally {
      session.end("belongs to the pool since its hook has ended");
      await session.untilIdle();
    }
    if (link.transaction !== "none") await link.run(command("rollback"));
  }
}
