// Makes the connections of a pool, and lets the functions of its user have them for a while.

import { Connection } from "./connection.ts";
import type { Link } from "./link.ts";
import { openLink } from "./open-link.ts";
import type { ServerSource } from "./server-source.ts";
import { Session } from "./session.ts";
import { command } from "./statements.ts";
import type { Trace } from "./trace.ts";

const { performance } = globalThis;

/** A function of the user that gets a connection. */
export type Hook = (connection: Connection) => unknown;

export class LinkMaker {
  readonly #source: ServerSource;
  readonly #trace: Trace;
  readonly #init: Hook | null;

  constructor(source: ServerSource, trace: Trace, init: Hook | null) {
    this.#source = source;
    this.#trace = trace;
    this.#init = init;
  }

  /** A connection for whoever asks the pool for one. */
  async open(): Promise<Link> {
    const trace = this.#trace;
    const startedAt = performance.now();
    trace.tell({ kind: "connect-start" });
    let link: Link | null = null;
    try {
      link = await this.openBare();
      trace.tell({ kind: "connect-end", serverPid: link.pid, durationMs: performance.now() - startedAt });
      if (this.#init !== null) await this.call(this.#init, link);
      return link;
    } catch (error) {
      link?.destroy();
      trace.tell({ kind: "connect-error", error });
      throw error;
    }
  }

  /** A connection that is none of the pool's. */
  async openBare(): Promise<Link> {
    return openLink(await this.#source.settled());
  }

  /** Lets a function have the connection until it ends; a transaction it has left open is rolled back. */
  async call(hook: Hook, link: Link): Promise<void> {
    const session = new Session(link, this.#trace);
    try {
      await hook(new Connection(session));
    } finally {
      session.end("belongs to the pool since its hook has ended");
      await session.untilIdle();
    }
    if (link.transaction !== "none") await link.run(command("rollback"));
  }
}
