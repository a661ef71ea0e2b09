// One request and its answer on one connection: what undici calls, and what the caller waits on.
//
//   connecting ──▶ sent ──head──▶ body ──last byte──▶ ended
//        └───────────┴─────────────┴──error, cancel, close──▶ failed
//
// Ended and failed give the slot back at once, whoever may still have bytes to read from the buffer.

import { currentScopeNode, giveWay, suspend, type Waiter, type WaitTarget, wakeAt } from "meanwhile/lowlevel";
import type { Dispatcher } from "undici";

import type { Answer } from "./answer.ts";
import { BodyStream } from "./body-stream.ts";
import { ByteQueue } from "./byte-queue.ts";
import type { Carrier } from "./carrier.ts";
import type { ExchangePlan, RawHeaders } from "./exchange-plan.ts";
import { failureOf, headersTooLarge, responseClosed } from "./failures.ts";
import { Patience } from "./patience.ts";
import type { Pool } from "./pool.ts";

type ExchangeState = "connecting" | "sent" | "body" | "ended" | "failed";

/** Beyond this many unread bytes the server is made to wait. */
const HIGH_WATER_BYTES = 128 * 1024;
/** 102 and 103 come once or twice; a server that goes on and on is hostile. */
const MOST_INFORMATIONAL = 16;
/** The parser counts header fields, not the line before them. */
const LONGEST_REASON = 4 * 1024;

const HEAD: WaitTarget = { describe: () => "the answer of an HTTP server", foreign: true };
const BODY: WaitTarget = { describe: () => "the body of an HTTP answer", foreign: true };

export class Exchange implements Answer, Dispatcher.DispatchHandler {
  readonly plan: ExchangePlan;
  status = 0;
  statusText = "";
  headers: RawHeaders = {};
  trailers: RawHeaders = {};
  bytesReceived = 0;
  /** The address that answers, noted with the head: the connection may be gone by the time somebody asks. Null if that is a proxy. */
  peer: string | null | undefined;
  /** Whether the server has begun to answer. */
  isAnswered = false;
  // Invariant: ended and failed are for good, and the connection is no longer ours.
  #state: ExchangeState = "sent";
  // Set if failed, or if bytes were dropped: makes the error for the code that waits, in its stack.
  #makeError: (() => Error) | null = null;
  readonly #unread = new ByteQueue();
  #informational = 0;
  #controller: Dispatcher.DispatchController | null = null;
  #waiter: Waiter<void> | null = null;
  readonly #patience: Patience;
  readonly #pool: Pool;
  #connection: Carrier;

  constructor(plan: ExchangePlan, pool: Pool, connection: Carrier) {
    this.plan = plan;
    this.#pool = pool;
    this.#connection = connection;
    this.#patience = new Patience(plan.settled, plan.deadline, currentScopeNode().runner.clock);
  }

  get isOver(): boolean {
    return this.#state === "ended" || this.#state === "failed";
  }

  /** Whether the connection had served before: the server may have closed it just when this request was sent. */
  get isReused(): boolean {
    return this.#connection.isUsed;
  }

  /** Whether the server has done nothing about it, whatever it asked for. */
  get isRefused(): boolean {
    return this.#connection.isRefused;
  }

  /** Whether the last byte has come. */
  get isComplete(): boolean {
    return this.#state === "ended" && this.#makeError === null;
  }

  /** Waits until something happens, nearly always that the head has come. {@link head} is to follow if it was not that. */
  firstEvent(): Promise<void> {
    return this.#isBegun ? this.#event(HEAD) : this.head();
  }

  /** Whether the head of the answer has come. */
  get hasHead(): boolean {
    return this.status !== 0 && this.#waiter === null;
  }

  /** Waits for the head of the answer. A caller that is cancelled leaves no connection behind. */
  async head(): Promise<void> {
    if (this.#waiter !== null) await this.#late();
    while (this.#isBegun) {
      await this.#event(HEAD);
      if (this.#waiter !== null) await this.#late();
    }
    if (this.#makeError !== null && this.status === 0) throw this.#makeError();
  }

  /** The next bytes of the body; null after the last. A caller that is cancelled leaves no connection behind. */
  async read(): Promise<Buffer | null> {
    for (;;) {
      const chunk = this.take();
      if (chunk !== undefined) return chunk;
      if (this.#makeError !== null) throw this.#makeError();
      if (this.#state === "ended") return null;
      // Idle is the time in which we waited and nothing came: what the caller did meanwhile does not count.
      this.#patience.startWaiting();
      await this.#event(BODY);
      if (this.#waiter !== null) await this.#late();
      this.#patience.stopWaiting();
    }
  }

  /** What {@link read} would give without waiting; undefined if there is nothing. */
  take(): Buffer | undefined {
    const chunk = this.#unread.shift();
    if (chunk === undefined) return undefined;
    if (this.#controller?.paused === true && this.#unread.length < HIGH_WATER_BYTES) this.#controller.resume();
    return chunk;
  }

  /** The answer is read as a stream from here on: it may take its time. */
  forgetTotal(): void {
    this.#patience.forgetTotal();
  }

  /** Ends the exchange unless it is over: the connection is closed and the slot is free. Drops what was not read. */
  abort(): void {
    const makeError = (): Error => responseClosed(this.plan.request);
    // Whoever still reads must not take what is left for the whole.
    if (this.#unread.length > 0) this.#makeError ??= makeError;
    this.#unread.clear();
    this.fail(makeError);
  }

  /** Ends the exchange, unless it is over, with an error made for whoever waits for it. */
  fail(makeError: () => Error): void {
    if (this.isOver) return;
    this.#makeError = makeError;
    this.#finish("failed");
    this.#pool.discard(this.#connection);
  }

  /** Something else carries it from here on; nothing was sent yet. */
  moveTo(connection: Carrier): void {
    this.#connection = connection;
  }

  /** Called by the connection, as all that follow: it is being made. */
  connecting(): void {
    if (this.isOver) return;
    this.#state = "connecting";
    this.plan.trace?.connecting();
    this.#patience.connecting();
    this.#rearm();
  }

  resolved(address: string): void {
    if (!this.isOver) this.plan.trace?.resolved(address);
  }

  connectedTo(address: string | undefined, isTls: boolean, alpn: string | null): void {
    if (!this.isOver) this.plan.trace?.connected(address, alpn ?? (isTls ? "https:" : "http:"));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.isOver) return controller.abort(responseClosed(this.plan.request));
    this.#state = "sent";
    this.plan.trace?.sent();
    this.#patience.connected();
    this.#rearm();
  }

  onBodySent(): void {
    this.#patience.touch();
  }

  onResponseStarted(): void {
    this.isAnswered = true;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: RawHeaders, text?: string): void {
    if (this.isOver) return;
    if (status < 200) this.#informational += 1;
    const isEndless = this.#informational > MOST_INFORMATIONAL || (text?.length ?? 0) > LONGEST_REASON;
    if (isEndless || this.#isFlood(controller.rawHeaders)) {
      return this.#refuseHeaders(controller);
    }
    if (status < 200) return;
    this.#state = "body";
    this.status = status;
    this.statusText = text ?? "";
    this.headers = headers;
    this.peer = this.#connection.host.proxy === null ? this.#connection.remoteAddress : null;
    this.plan.trace?.answered(status);
    this.plan.heed?.(this.#connection.host.origin, status, headers["retry-after"]);
    this.#notify();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.isOver) return;
    this.bytesReceived += chunk.length;
    this.#unread.push(chunk);
    if (this.#unread.length >= HIGH_WATER_BYTES) controller.pause();
    this.#patience.received(chunk.length);
    this.#notify();
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: RawHeaders): void {
    if (this.isOver) return;
    if (this.#isFlood(controller.rawTrailers)) return this.#refuseHeaders(controller);
    this.trailers = trailers;
    // undici takes a reset for the end of a body that only the end of the connection delimits.
    const errored = this.#connection.socket?.errored;
    if (errored != null) return this.onResponseError(controller, errored);
    this.#finish("ended");
    // What is not sent yet would stand before the next request.
    const isClear = (this.#connection.socket?.writableLength ?? 0) === 0;
    if (this.plan.settled.keepAlive && isClear) this.#pool.keep(this.#connection);
    else queueMicrotask(() => this.#pool.discard(this.#connection));
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, cause: Error): void {
    const { request, payload } = this.plan;
    if (this.#state === "ended" || this.#state === "failed") return;
    const phase = this.#state === "sent" && this.isAnswered ? "head" : this.#state;
    this.#failLater(() => failureOf(cause, phase, request, payload));
  }

  get #isBegun(): boolean {
    return this.#state === "connecting" || this.#state === "sent";
  }

  #isFlood(raw: unknown): boolean {
    return Array.isArray(raw) && raw.length / 2 > this.plan.maxHeaderCount;
  }

  #refuseHeaders(controller: Dispatcher.DispatchController): void {
    this.#failLater(() => headersTooLarge(this.plan.request));
    controller.abort(responseClosed(this.plan.request));
  }

  /** Like {@link fail}, from within a call of undici, which goes on with the connection afterwards. */
  #failLater(makeError: () => Error): void {
    this.#makeError = makeError;
    // Asked for before the waiter is woken: the slot is free when the caller gets the error.
    queueMicrotask(() => this.#pool.discard(this.#connection));
    this.#finish("failed");
  }

  #finish(state: "ended" | "failed"): void {
    this.#state = state;
    this.#patience.stop();
    if (state === "ended") this.plan.trace?.ended(this.bytesReceived);
    else this.plan.trace?.aborted(this.bytesReceived);
    const { content } = this.plan.payload;
    if (content instanceof BodyStream) content.stop();
    this.#notify();
  }

  #notify(): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.wake();
  }

  #rearm(): void {
    if (this.#waiter !== null) wakeAt(this.#waiter, this.#patience.next);
  }

  /** Waits until anything happens, or a deadline has come: then the waiter is still here, and {@link #late} is next. */
  #event(target: WaitTarget): Promise<void> {
    return suspend<void>((waiter) => {
      this.#waiter = waiter;
      this.#rearm();
      return () => {
        this.#waiter = null;
        this.abort();
      };
    }, target);
  }

  /**
   * A deadline has come: whoever else wakes the waiter takes it away. What arrived while the event loop was blocked is
   * delivered before anything is decided; a deadline that has passed ends the exchange.
   */
  async #late(): Promise<void> {
    this.#waiter = null;
    const before = this.#state;
    await giveWay();
    const { content } = this.plan.payload;
    // Waiting for the caller's own body is not the server's fault.
    if (content instanceof BodyStream && content.isAwaited) this.#patience.touch();
    const phase = this.#patience.overdue();
    if (phase === null || this.isOver || this.#state !== before) return;
    this.fail(this.#patience.errorFor(phase, this.plan.request, this.isAnswered));
  }
}
