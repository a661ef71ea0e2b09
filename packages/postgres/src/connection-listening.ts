// The listeners of a single connection: they end with it.

import { PostgresError } from "./errors.ts";
import { ended, eventOf, failed, type Listener, type ListenerSource } from "./listener.ts";
import type { Session } from "./session.ts";
import { quoteName } from "./sql.ts";

const NONE: ReadonlySet<string> = new Set();

export class ConnectionListening implements ListenerSource {
  readonly #session: Session;
  readonly #listeners = new Set<Listener>();
  readonly #told = new Set<string>();
  // Those of them that the server was told in a transaction which is still open: it listens when that commits.
  readonly #pending = new Set<string>();
  // Puts back what was told of the loss of the link before.
  readonly #unhook: () => void = nothing;

  constructor(session: Session) {
    this.#session = session;
    // Whoever has the link now is not concerned; to begin is refused.
    if (session.isOver) return;
    const { link } = session;
    const before = link.onLost;
    const onLost = (error: PostgresError): void => {
      for (const listener of this.#listeners) listener.finish(failed(error));
      before?.(error);
    };
    link.onLost = onLost;
    this.#unhook = () => {
      if (link.onLost === onLost) link.onLost = before;
    };
    link.onListenChange = (what) => this.#changed(what);
    link.onNotification = (notification) => {
      for (const listener of this.#listeners) {
        if (listener.channels.includes(notification.channel)) listener.push(eventOf(notification));
      }
    };
  }

  async start(listener: Listener): Promise<void> {
    this.#listeners.add(listener);
    const channels = listener.channels.filter((channel) => !this.#told.has(channel));
    if (channels.length === 0) return;
    await this.#session.command(channels.map((channel) => `listen ${quoteName([channel])}`).join("; "));
    const { link, isInTransaction } = this.#session;
    for (const channel of channels) {
      this.#told.add(channel);
      if (isInTransaction) this.#pending.add(channel);
    }
    link.keepAlive(true);
  }

  /** The server listens to less, or what it was told in a transaction counts from now on. */
  #changed(what: "undone" | "ended" | "nothing"): void {
    const gone = { undone: this.#pending, ended: NONE, nothing: this.#told }[what];
    for (const channel of gone) this.#told.delete(channel);
    this.#pending.clear();
    // In a transaction that goes on nothing would be heard yet.
    if (what === "undone") return;
    for (const listener of this.#listeners) {
      if (!listener.channels.every((channel) => this.#told.has(channel))) listener.interrupt(unlistened);
    }
  }

  /** The server is not told: something else may run just now. What comes for nobody is dropped. */
  stop(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0 && !this.#session.isOver) this.#session.link.keepAlive(false);
  }

  /** Ends every loop. */
  close(): void {
    const { link } = this.#session;
    this.#unhook();
    link.onNotification = null;
    link.onListenChange = null;
    link.keepAlive(false);
    for (const listener of this.#listeners) listener.finish(ended);
  }
}

function nothing(): void {}

function unlistened(): PostgresError {
  const what =
    "the server does not listen any more, because of a rollback or an 'unlisten'; call next() again to listen anew, and begin to listen outside of transactions";
  return new PostgresError("MW_ERR_PG_TRANSACTION", `Cannot wait for a notification: ${what}`);
}
