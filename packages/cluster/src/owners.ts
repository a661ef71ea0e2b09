// Which clients are there: the jobs of one that is gone are not begun, and those that run are cancelled.

import type { WorkerPort } from "./engine.ts";

const { performance, queueMicrotask } = globalThis;

/** For how long an answer is good. */
const FRESH_MS = 1_000;

interface Known {
  isThere: boolean;
  at: number;
}

/** What is known of the clients whose jobs a worker has. */
export class Owners {
  readonly #port: () => WorkerPort;
  readonly #known = new Map<string, Known>();
  #asking: { readonly clients: Set<string>; readonly done: Promise<void> } | null = null;

  constructor(port: () => WorkerPort) {
    this.#port = port;
  }

  /** Whether the client is there; true also if nobody can say. */
  async isThere(client: string): Promise<boolean> {
    const known = this.#known.get(client);
    // One that was cut off may be back at any moment, and its jobs are here at once.
    if (known?.isThere === true && performance.now() - known.at < FRESH_MS) return true;
    await this.#ask(client);
    return this.#known.get(client)?.isThere ?? true;
  }

  // All that are asked for in one turn are asked for at once.
  #ask(client: string): Promise<void> {
    if (this.#asking === null) {
      const clients = new Set<string>();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#asking = { clients, done: promise };
      queueMicrotask(() => {
        this.#asking = null;
        this.#askFor([...clients]).then(resolve, resolve);
      });
    }
    this.#asking.clients.add(client);
    return this.#asking.done;
  }

  async #askFor(clients: readonly string[]): Promise<void> {
    try {
      const answers = await this.#port().alive(clients);
      const at = performance.now();
      for (const [index, client] of clients.entries())
        this.#known.set(client, { isThere: answers[index] === true, at });
    } catch {
      // Nobody can say now; jobs are not cancelled for that.
    }
  }

  /** Forgets those nobody asks for any more. */
  trim(): void {
    const now = performance.now();
    for (const [client, { at }] of this.#known) if (now - at > 60 * FRESH_MS) this.#known.delete(client);
  }
}
