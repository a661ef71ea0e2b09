// Tells clients what has become of their jobs: those of one turn, or of a moment, in one message for each client.

import type { WorkerPort } from "./engine.ts";
import type { ToClient } from "./wire.ts";

const { setImmediate, setTimeout } = globalThis;

const BUSY = 8;
const COLLECT_MS = 2;

/** What goes to clients. */
export class Hints {
  readonly #port: () => WorkerPort;
  readonly #load: () => number;
  readonly #messages = new Map<string, ToClient[]>();
  #isAsked = false;
  #sending: Promise<void> = Promise.resolve();

  /** @param load - how many jobs run */
  constructor(port: () => WorkerPort, load: () => number) {
    this.#port = port;
    this.#load = load;
  }

  tell(client: string, message: ToClient): void {
    const waiting = this.#messages.get(client);
    if (waiting === undefined) this.#messages.set(client, [message]);
    else waiting.push(message);
    if (this.#isAsked) return;
    this.#isAsked = true;
    // Where many jobs run there is more to tell in a moment, and each message costs both sides more than a job does.
    if (this.#load() > BUSY) setTimeout(() => void this.flush(), COLLECT_MS);
    else setImmediate(() => void this.flush());
  }

  /** Sends what there is. Never throws: what is lost here the client finds by looking. */
  flush(): Promise<void> {
    this.#isAsked = false;
    const port = this.#port();
    const texts = [...this.#messages].flatMap(([client, messages]) =>
      inTexts(messages, port.maxTextBytes).map((text) => [client, text] as const),
    );
    this.#messages.clear();
    if (texts.length > 0) this.#sending = port.publish(texts).catch(ignore);
    return this.#sending;
  }
}

/** In texts that are not too long. */
function inTexts(messages: readonly ToClient[], maxBytes: number): string[] {
  const texts: string[] = [];
  let open: string[] = [];
  let bytes = 2;
  for (const message of messages) {
    const text = textOf(message, maxBytes);
    if (text === null) continue;
    const length = Buffer.byteLength(text) + 1;
    if (bytes + length > maxBytes) {
      texts.push(`[${open.join()}]`);
      open = [];
      bytes = 2;
    }
    open.push(text);
    bytes += length;
  }
  return [...texts, `[${open.join()}]`].filter((text) => text !== "[]");
}

/** Null for progress that cannot be told. */
function textOf(message: ToClient, maxBytes: number): string | null {
  const text = JSON.stringify(message);
  if (Buffer.byteLength(text) + 2 <= maxBytes) return text;
  return message.kind === "progress" ? null : JSON.stringify({ ...message, text: null });
}

function ignore(): void {}
