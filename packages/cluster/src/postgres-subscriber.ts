// Listens to notifications of PostgreSQL, and does so again when the connection was lost.
//
// Invariants
// - `#client` is the connection that listens to all channels; null while there is none.
// - While there is none and it is not closed, one is being opened or `#timer` is set, never more than one timer; each time
//   one is back, the gap is told, for what was sent meanwhile is lost.

import { Client, type ClientConfig, escapeIdentifier } from "pg";

const { clearTimeout, setTimeout } = globalThis;

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1_000;

/** A connection that listens. */
export class PostgresSubscriber {
  readonly #config: ClientConfig;
  readonly #gap: () => void;
  #client: Client | null = null;
  /** What is being checked. */
  #checked: Client | null = null;
  #channels: readonly string[] = [];
  #received: (text: string) => void = ignore;
  #isClosed = false;
  #waitMs = FIRST_WAIT_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param gap - is told when the connection is back */
  constructor(config: ClientConfig, gap: () => void) {
    this.#config = config;
    this.#gap = gap;
  }

  async open(): Promise<void> {
    const client = new Client(this.#config);
    client.on("error", ignore);
    client.on("end", () => this.#lost(client));
    client.on("notification", ({ payload }) => this.#received(payload ?? ""));
    await client.connect();
    for (const channel of this.#channels) await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
    this.#client = client;
    this.#waitMs = FIRST_WAIT_MS;
    if (this.#isClosed) await client.end();
  }

  async listen(channels: readonly string[], received: (text: string) => void): Promise<void> {
    this.#channels = channels;
    this.#received = received;
    for (const channel of channels) await this.#client?.query(`LISTEN ${escapeIdentifier(channel)}`);
  }

  /** Sees whether the other side is still there. */
  check(): void {
    const client = this.#client;
    if (client === null || client === this.#checked) return;
    this.#checked = client;
    client
      .query("SELECT 1")
      .catch(() => client.end().catch(ignore))
      .finally(() => (this.#checked = null));
  }

  #lost(client: Client): void {
    if (this.#client === client) this.#client = null;
    else if (this.#client !== null) return;
    if (this.#isClosed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.open().then(
        () => this.#gap(),
        () => this.#lost(client),
      );
    }, this.#waitMs);
    this.#timer.unref();
    this.#waitMs = Math.min(LONGEST_WAIT_MS, this.#waitMs * 2);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#client?.end();
  }
}

function ignore(): void {}
