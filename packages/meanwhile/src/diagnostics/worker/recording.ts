// Writes what happens to a file, line by line, as a stream tells it. A disk that is full costs the recording, nothing else.

import { createWriteStream, type WriteStream } from "node:fs";

import type { Observer } from "./observer.ts";
import { Stream } from "./stream.ts";

/** A file that is written until the diagnostics end. */
export class Recording {
  readonly #file: WriteStream;
  readonly #stream: Stream;
  readonly #closed: Promise<void>;

  /** @param onProblem - told once, if it cannot be written any more */
  constructor(observer: Observer, path: string, onProblem: (problem: string) => void) {
    // Task names may tell what nobody else should know.
    this.#file = createWriteStream(path, { flags: "wx", mode: 0o600 });
    let isOver = false;
    this.#closed = new Promise((resolve) => {
      this.#file.on("close", resolve);
    });
    this.#file.on("error", (error) => {
      if (isOver) return;
      isOver = true;
      onProblem(`Cannot record to ${path}: ${error.message}; the program goes on without a recording`);
    });
    this.#stream = new Stream(observer, this.#file, { events: true, stacks: false, from: 0, forMs: null });
  }

  /** Writes the first lines, and from then on what happens. */
  async start(): Promise<void> {
    await this.#stream.start();
  }

  /** Writes the rest; resolves when the file is closed. */
  async end(): Promise<void> {
    this.#stream.end();
    await this.#closed;
  }
}
