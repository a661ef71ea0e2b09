// Has the queue forget jobs whose results are here, if they are large: nobody else asks for them, and there may be many.
//
// A result may be here before it is on record, and what is not on record cannot be taken out: so a moment goes by in between.

import type { ClientPort } from "./engine.ts";
import { isInTime } from "./in-time.ts";

/** How long a job and its result may be together to be left to `keepMs`: to forget it costs the server more than to keep it. */
const SMALL = 4_096;
/** How long the server may take for the last ones. */
const LAST_MS = 1_000;

/** The jobs of a client that have been answered. */
export class Answered {
  readonly #port: () => ClientPort;
  #fresh: string[] = [];
  #settled: string[] = [];

  constructor(port: () => ClientPort) {
    this.#port = port;
  }

  /** @param length - how long the job and its result are together */
  add(id: string, length: number): void {
    if (length > SMALL) this.#fresh.push(id);
  }

  /** Has those forgotten that were there the last time. */
  sweep(): void {
    const ids = this.#settled;
    this.#settled = this.#fresh;
    this.#fresh = [];
    // What fails here is forgotten when it is too old.
    for (const id of ids) this.#port().forget(id).catch(ignore);
  }

  /** Has all of them forgotten, if that does not take long. */
  async flush(): Promise<void> {
    const ids = [...this.#settled, ...this.#fresh];
    this.#settled = [];
    this.#fresh = [];
    if (ids.length === 0) return;
    const forgetting = ids.map((id) => this.#port().forget(id));
    await isInTime(LAST_MS, Promise.allSettled(forgetting));
  }
}

function ignore(): void {}
