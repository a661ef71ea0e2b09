// COPY … FROM STDIN: bytes to the server, as fast as it takes them.
//
//   starting ──CopyInResponse──▶ writing ──finish──▶ ended
//       └──────────────────────────┴──fail, cancel, error of the server──▶ ended

import { enterCheckpoint } from "meanwhile/lowlevel";

import { parseTag } from "./command-tag.ts";
import { PostgresError } from "./errors.ts";
import type { Link } from "./link.ts";
import { MessageWriter, writer } from "./message-writer.ts";
import { Operation } from "./operation.ts";
import { quoted } from "./statement-text.ts";
import type { Wire } from "./wire.ts";

/** Larger pieces are cut: a server takes messages up to 1 GB, and holds one in memory. */
const LONGEST_PIECE = 256 * 1024;

/** What is sent at once. */
const BATCH_BYTES = 32 * 1024;

type CopyInState = "starting" | "writing" | "ending";

/** The operation below {@link CopyIn}. */
class CopyInOperation extends Operation<number> {
  state: CopyInState = "starting";
  /** Whether the socket can take more. */
  isDrained = true;
  // Small pieces are sent together: a write costs more than a row.
  readonly #unsent = new MessageWriter();
  #tag = "";

  protected override send(wire: Wire): void {
    wire.write(writer.query(this.text).take());
  }

  add(chunk: Uint8Array | string): void {
    if (this.state !== "writing" || this.#unsent.copyData(chunk).length < BATCH_BYTES) return;
    this.isDrained = this.wire?.write(this.#unsent.take()) ?? true;
  }

  finish(): void {
    if (this.state === "writing") this.#end(() => this.#unsent.copyDone());
  }

  giveUp(reason: string): void {
    if (this.state === "ending") return;
    this.#unsent.cut(0);
    this.#end(() => this.#unsent.copyFail(reason));
  }

  #end(add: () => unknown): void {
    this.state = "ending";
    if (this.isOver || this.failure !== null) return;
    add();
    this.wire?.write(this.#unsent.take());
  }

  /** Besides the request to cancel: the server may be waiting for us, and would not hear of it. */
  override interrupt(): void {
    if (this.state === "writing") this.giveUp("cancelled");
  }

  override handleCopyInResponse(): void {
    if (this.wire?.isInterrupted === true) return void this.wire.write(writer.copyFail("cancelled").take());
    if (this.state !== "starting") return this.#refuseAnother();
    this.state = "writing";
    this.wire?.notify();
  }

  /** Of several statements in one text: what the rows belong to cannot be said. */
  #refuseAnother(): void {
    const what = `Cannot copy with ${quoted(this.text)}: it copies more than once; run one COPY at a time`;
    this.failure ??= new PostgresError("MW_ERR_PG_COPY", what);
    this.wire?.write(writer.copyFail("another COPY").take());
    this.wire?.notify();
  }

  override handleDrain(): void {
    this.isDrained = true;
    this.wire?.notify();
  }

  override handleCommandComplete({ text }: { readonly text: string }): void {
    this.#tag = text;
  }

  override result(): number {
    return parseTag(this.#tag).rowCount;
  }
}

/** One COPY into the server. Whoever begins it must see to its end: `finish` or `fail`. */
export class CopyIn {
  readonly #link: Link;
  readonly #operation: CopyInOperation;

  /** @param text - the statement, with FROM STDIN in it */
  constructor(link: Link, text: string) {
    this.#link = link;
    this.#operation = new CopyInOperation(text);
  }

  /**
   * Begins it.
   *
   * Cancellation: safe. The copy is ended and nothing of it stays.
   *
   * @throws {@link SqlError} `MW_ERR_PG_SQL`
   * @throws {@link PostgresError} `MW_ERR_PG_COPY` if the statement is another one
   */
  async start(): Promise<void> {
    const operation = this.#operation;
    this.#link.begin(operation);
    while (operation.state === "starting" && !operation.isOver) await this.#link.event(operation);
    if (operation.failure !== null) throw operation.makeError();
    if (operation.state === "starting") throw noCopy(operation.text, "FROM STDIN");
  }

  /**
   * Sends a piece; waits while the server is slower.
   *
   * Cancellation: safe. The copy is ended and nothing of it stays.
   *
   * @throws {@link SqlError} `MW_ERR_PG_SQL` if the server does not like what was sent so far
   */
  async write(piece: Uint8Array | string): Promise<void> {
    for (const part of partsOf(piece)) {
      await this.#untilDrained();
      this.#operation.add(part);
    }
  }

  /**
   * Ends it.
   *
   * Cancellation: loses the count: all of it may have been stored, or nothing.
   *
   * @returns how many rows there were
   */
  async finish(): Promise<number> {
    const operation = this.#operation;
    await this.#untilDrained();
    operation.finish();
    while (!operation.isOver) await this.#link.event(operation);
    if (operation.failure !== null) throw operation.makeError();
    return operation.result();
  }

  /**
   * Gives it up: nothing of it stays. Does nothing if it is over. Never throws.
   *
   * Cancellation: safe. It is not interrupted, and takes `cancelTimeoutMs` at most.
   */
  async fail(reason: string): Promise<void> {
    this.#operation.giveUp(reason);
    await this.#link.stop(this.#operation);
  }

  async #untilDrained(): Promise<void> {
    const operation = this.#operation;
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    while (!operation.isDrained && !operation.isOver) await this.#link.event(operation);
    if (!operation.isOver) return;
    throw operation.failure === null ? noCopy(operation.text, "FROM STDIN") : operation.makeError();
  }
}

/** The error for a statement that does not begin a copy in this direction. */
export function noCopy(text: string, direction: string): PostgresError {
  return new PostgresError(
    "MW_ERR_PG_COPY",
    `Cannot copy with ${quoted(text)}: it does not copy; pass one COPY … ${direction}`,
  );
}

function* partsOf(piece: Uint8Array | string): Generator<Uint8Array | string> {
  if (piece.length <= LONGEST_PIECE) {
    yield piece;
    return;
  }
  const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
  for (let at = 0; at < bytes.length; at += LONGEST_PIECE) yield bytes.subarray(at, at + LONGEST_PIECE);
}
