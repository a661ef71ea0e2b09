// COPY … TO STDOUT: bytes from the server, as fast as they are taken.

import { enterCheckpoint } from "meanwhile/lowlevel";

import { noCopy } from "./copy-in.ts";
import type { Link } from "./link.ts";
import { writer } from "./message-writer.ts";
import { Operation } from "./operation.ts";
import type { Wire } from "./wire.ts";

/** Beyond this many unread bytes the server is made to wait. */
const HIGH_WATER_BYTES = 256 * 1024;

/** The operation below {@link CopyOut}. */
class CopyOutOperation extends Operation<void> {
  isCopying = false;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isPaused = false;
  #isGivenUp = false;

  protected override send(wire: Wire): void {
    wire.write(writer.query(this.text).take());
  }

  /** All that has come since the last time; null if nothing has. */
  take(): Uint8Array | null {
    const [first] = this.#chunks;
    if (first === undefined) return null;
    // Always a copy: what the socket has read into is used by others as well.
    const bytes = new Uint8Array(Buffer.concat(this.#chunks, this.#bytes));
    this.#chunks = [];
    this.#bytes = 0;
    this.#goOn();
    return bytes;
  }

  #goOn(): void {
    if (this.#isPaused) this.wire?.resume();
    this.#isPaused = false;
  }

  /** Reads on, to the end, for nobody. */
  override interrupt(): void {
    this.#isGivenUp = true;
    this.#chunks = [];
    this.#goOn();
  }

  override handleCopyOutResponse(): void {
    this.isCopying = true;
  }

  override handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    if (this.#isGivenUp) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= HIGH_WATER_BYTES && !this.#isPaused) {
      this.#isPaused = true;
      this.wire?.pause();
    }
    this.wire?.notify();
  }

  override handleCopyInResponse(): void {
    this.wire?.write(writer.copyFail("COPY FROM STDIN needs copyFrom()").take());
  }

  override result(): void {}
}

/** One COPY out of the server. Whoever begins it must see to its end: read until null, or `close`. */
export class CopyOut {
  readonly #link: Link;
  readonly #operation: CopyOutOperation;

  /** @param text - the statement, with TO STDOUT in it */
  constructor(link: Link, text: string) {
    this.#link = link;
    this.#operation = new CopyOutOperation(text);
  }

  /** Begins it. Waits for nothing. */
  start(): void {
    this.#link.begin(this.#operation);
  }

  /**
   * The next bytes, in rows or parts of rows; null after the last.
   *
   * Cancellation: safe. The copy is ended.
   *
   * @throws {@link SqlError} `MW_ERR_PG_SQL`
   * @throws {@link PostgresError} `MW_ERR_PG_COPY` if the statement is another one
   */
  async read(): Promise<Uint8Array | null> {
    const operation = this.#operation;
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    for (;;) {
      const bytes = operation.take();
      if (bytes !== null) return bytes;
      if (operation.isOver) break;
      await this.#link.event(operation);
    }
    if (operation.failure !== null) throw operation.makeError();
    if (!operation.isCopying) throw noCopy(operation.text, "TO STDOUT");
    return null;
  }

  /**
   * Gives up what is left. Does nothing if it is over. Never throws.
   *
   * Cancellation: safe. It is not interrupted, and takes `cancelTimeoutMs` at most.
   */
  async close(): Promise<void> {
    await this.#link.stop(this.#operation);
  }
}
