// What is sent: whole messages at once, and one message at a time piece by piece, with everybody else behind it.

import { enterCheckpoint, ParkingLot } from "meanwhile/lowlevel";
import type { WebSocket } from "ws";

import { badArgument } from "./checks.ts";
import type { ConnectionSettled } from "./connection-options.ts";
import type { Ending } from "./ending.ts";
import type { Abandon, FrameOptions, FrameWriter } from "./frames.ts";
import { isStream, isWhole, type Message, type Sendable } from "./message.ts";
import { Pieces } from "./pieces.ts";
import { sendPieces } from "./send-pieces.ts";
import type { Trace } from "./trace.ts";

const DONE: Promise<void> = Promise.resolve();
/** As many bytes a character takes at most. */
const BYTES_PER_CHARACTER = 3;

const PLAIN_TEXT: FrameOptions = { compress: false, fin: true, binary: false };
const PLAIN_BYTES: FrameOptions = { compress: false, fin: true, binary: true };
const PACKED_TEXT: FrameOptions = { compress: true, fin: true, binary: false };
const PACKED_BYTES: FrameOptions = { compress: true, fin: true, binary: true };

/** What an outbox is made of. */
interface OutboxParts {
  readonly id: number;
  readonly what: string;
  readonly socket: WebSocket;
  readonly settled: ConnectionSettled;
  readonly ending: Ending;
  readonly abandon: Abandon;
}

export class Outbox implements FrameWriter {
  readonly #socket: WebSocket;
  readonly #limitBytes: number;
  // Messages of this length are compressed; Infinity for none.
  readonly #thresholdBytes: number;
  readonly #id: number;
  readonly #trace: Trace;
  readonly #ending: Ending;
  readonly #abandon: Abandon;
  // Those whose message is on its way, until there is room for the next one.
  #room: ParkingLot | null = null;
  // Those who wait until a message that is sent piece by piece is out.
  #line: ParkingLot | null = null;
  readonly #what: string;
  #isStreaming = false;
  /** How many messages were handed over. */
  sent = 0;

  constructor({ id, what, socket, settled, ending, abandon }: OutboxParts) {
    this.#id = id;
    this.#trace = settled.trace;
    this.#socket = socket;
    this.#limitBytes = settled.writeLimitBytes;
    const isDeflating = socket.extensions.includes("permessage-deflate");
    this.#thresholdBytes = isDeflating ? (settled.deflate?.thresholdBytes ?? Infinity) : Infinity;
    this.#ending = ending;
    this.#abandon = abandon;
    this.#what = what;
  }

  /** Sends one message. Whatever is wrong is a rejection, as in an async function. */
  send(message: Sendable): Promise<void> {
    try {
      if (!isWhole(message)) return this.#sendStream(message);
      const turn = enterCheckpoint();
      if (turn !== null || this.#isStreaming) return this.#sendLater(turn, message);
      return this.#sendNow(message);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends a whole message if that needs no waiting. */
  offer(message: Message, isText: boolean): boolean {
    const socket = this.#socket;
    if (this.#isStreaming || socket.readyState !== socket.OPEN || socket.bufferedAmount > this.#limitBytes)
      return false;
    socket.send(message, optionsOf(isText, message.length >= this.#thresholdBytes));
    this.sent += 1;
    if (this.#trace.isOn) this.#trace.tell({ kind: "sent", connection: this.#id, bytes: message.length });
    return true;
  }

  /** The connection is over: whoever waits is told. */
  end(): void {
    const makeError = (): Error => this.#ending.error("send");
    this.#room?.failAll(makeError);
    this.#line?.failAll(makeError);
  }

  // The two are made when somebody waits: most connections are idle most of the time.

  #waitForRoom(): Promise<void> {
    this.#room ??= new ParkingLot({ describe: () => `room to send to ${this.#what}`, foreign: true });
    return this.#room.park();
  }

  #waitInLine(): Promise<void> {
    this.#line ??= new ParkingLot({ describe: () => `the end of the message being sent to ${this.#what}` });
    return this.#line.park();
  }

  async #sendLater(turn: Promise<void> | null, message: Message | ArrayBuffer): Promise<void> {
    if (turn !== null) await turn;
    while (this.#isStreaming) await this.#waitInLine();
    await this.#sendNow(message);
  }

  #sendNow(message: Message | ArrayBuffer): Promise<void> {
    const isText = typeof message === "string";
    const size = isText ? message.length : message.byteLength;
    const sending = this.write(message, size, optionsOf(isText, size >= this.#thresholdBytes));
    this.sent += 1;
    return sending;
  }

  /**
   * Hands one frame over, and waits for room if there is none.
   *
   * Cancellation: the frame is handed over already.
   */
  write(data: Message | ArrayBuffer, size: number, options: FrameOptions): Promise<void> {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return this.#refuse();
    if (this.#trace.isOn) this.#trace.tell({ kind: "sent", connection: this.#id, bytes: size });
    const most = options.binary ? size : size * BYTES_PER_CHARACTER;
    if (!options.compress && socket.bufferedAmount + most <= this.#limitBytes) {
      socket.send(data, options);
      return DONE;
    }
    socket.send(data, options, this.#onWritten);
    // What the kernel has taken at once does not wait in this process.
    return socket.bufferedAmount <= this.#limitBytes ? DONE : this.#waitForRoom();
  }

  // Every frame that goes above the limit has this callback, so the last one who waits is woken at the latest by its own.
  // One that failed says nothing: the end of the connection does.
  readonly #onWritten = (error?: Error | null): void => {
    const hasFailed = error !== undefined && error !== null;
    if (hasFailed || this.#room === null || this.#socket.bufferedAmount > this.#limitBytes) return;
    this.#room.unparkAll();
  };

  /** It is being closed: how that ends is the error. */
  async #refuse(): Promise<never> {
    await this.#ending.wait();
    throw this.#ending.error("send");
  }

  async #sendStream(source: Exclude<Sendable, Message | ArrayBuffer>): Promise<void> {
    if (!isStream(source)) {
      throw badArgument(
        "message",
        source,
        "a string, a Uint8Array, an ArrayBuffer, or an iterable of strings or bytes",
      );
    }
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    while (this.#isStreaming) await this.#waitInLine();
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) await this.#refuse();
    this.#isStreaming = true;
    const pieces = new Pieces<unknown>(source);
    try {
      if (await sendPieces(pieces, this, this.#thresholdBytes !== Infinity, this.#abandon)) this.sent += 1;
    } finally {
      this.#isStreaming = false;
      this.#line?.unparkAll();
      await pieces.close();
    }
  }
}

function optionsOf(isText: boolean, isPacked: boolean): FrameOptions {
  if (isPacked) return isText ? PACKED_TEXT : PACKED_BYTES;
  return isText ? PLAIN_TEXT : PLAIN_BYTES;
}
