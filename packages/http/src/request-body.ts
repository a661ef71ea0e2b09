// What is sent after the head: bytes that can be sent again, or a stream that cannot.

import { shield } from "meanwhile";
import { captureContext } from "meanwhile/lowlevel";

import { badArgument, notSent } from "./checks.ts";
import { HttpError, type RequestLine } from "./errors.ts";
import type { RequestOptions } from "./options.ts";
import { encodeParams } from "./target.ts";

/** A body as the caller gives it. */
export type RequestBody = string | Uint8Array | AsyncIterable<string | Uint8Array>;

/** A body as it is sent. */
export interface Payload {
  readonly content: string | Uint8Array | BodyStream | null;
  /** The `Content-Type` it brings along. */
  readonly type: string | undefined;
}

export const NO_PAYLOAD: Payload = { content: null, type: undefined };

/** Turns the body options of a request into what is sent. */
export function payloadOf({ json, form, body }: RequestOptions, request: RequestLine): Payload {
  if (json === undefined && form === undefined && body === undefined) return NO_PAYLOAD;
  if (Number(json !== undefined) + Number(form !== undefined) + Number(body !== undefined) > 1) {
    throw badArgument(request, "body", body, "only one of 'json', 'form' and 'body'");
  }
  if (json !== undefined) return { content: encodeJson(json, request), type: "application/json" };
  if (form !== undefined) {
    return { content: encodeParams(form, "form", request), type: "application/x-www-form-urlencoded;charset=UTF-8" };
  }
  if (typeof body === "string") return { content: body, type: "text/plain;charset=UTF-8" };
  if (body instanceof Uint8Array) return { content: body, type: undefined };
  if (typeof body?.[Symbol.asyncIterator] !== "function") {
    throw badArgument(request, "body", body, "a string, a Uint8Array or an async iterable of them");
  }
  return { content: new BodyStream(body, request), type: undefined };
}

function encodeJson(json: unknown, request: RequestLine): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(json);
  } catch {
    // Its message would show what is in the value.
  }
  if (text !== undefined) return text;
  throw notSent(
    new HttpError(
      "MW_ERR_HTTP_INVALID_ARGUMENT",
      request,
      "'json' has no JSON form; pass data without cycles and bigints",
    ),
  );
}

const CLOSE_MS = 1_000;

/**
 * An async iterable on its way to the server. It is pulled in the context of the caller, not of the connection, so
 * that what waits in it belongs to the caller's scope; and the connection never waits for it longer than for the answer.
 */
export class BodyStream implements AsyncIterable<Uint8Array> {
  /** Whether anything was asked of it: it cannot be sent again. */
  started = false;
  /** Whether the connection waits for the next chunk. */
  isAwaited = false;
  /** What the iterable threw. */
  failure: { readonly error: unknown } | null = null;
  readonly #source: AsyncIterable<string | Uint8Array>;
  readonly #request: RequestLine;
  readonly #inContext: <R>(callback: () => R) => R = captureContext();
  #iterator: AsyncIterator<string | Uint8Array> | null = null;
  #done = false;
  #stop: (() => void) | null = null;
  #closing: Promise<unknown> | null = null;

  constructor(source: AsyncIterable<string | Uint8Array>, request: RequestLine) {
    this.#source = source;
    this.#request = request;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => this.#next(),
      return: async () => {
        this.stop();
        return { done: true, value: undefined };
      },
    };
  }

  /** The request is over: nothing more is pulled, and the iterable is told. */
  stop(): void {
    if (this.#done) return;
    this.#done = true;
    this.#stop?.();
    const iterator = this.#iterator;
    // It may be in the middle of a step; a generator then closes after that one.
    if (iterator !== null) this.#closing = this.#inContext(async () => iterator.return?.());
    this.#closing?.catch(() => {});
  }

  /** Waits until a stopped iterable has cleaned up, but not for ever. */
  async closed(): Promise<void> {
    const closing = this.#closing;
    if (closing === null) return;
    await shield(() => closing, { timeoutMs: CLOSE_MS }).catch(() => {});
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.started = true;
    // The code of the caller must not run in the middle of the client's.
    await Promise.resolve();
    if (this.#done) return { done: true, value: undefined };
    this.isAwaited = true;
    try {
      const { done, value } = await this.#step();
      if (done === true) {
        this.#done = true;
        return { done, value: undefined };
      }
      return { value: this.#bytesOf(value) };
    } catch (error) {
      this.failure ??= { error };
      this.stop();
      throw error;
    } finally {
      this.isAwaited = false;
    }
  }

  #step(): Promise<IteratorResult<string | Uint8Array, unknown>> {
    return new Promise((resolve, reject) => {
      this.#stop = () => resolve({ done: true, value: undefined });
      this.#inContext(async () => {
        this.#iterator ??= this.#source[Symbol.asyncIterator]();
        return this.#iterator.next();
      }).then(resolve, reject);
    });
  }

  #bytesOf(chunk: unknown): Uint8Array {
    if (chunk instanceof Uint8Array) return chunk;
    if (typeof chunk === "string") return Buffer.from(chunk);
    throw badArgument(this.#request, "body", chunk, "an iterable that yields strings or Uint8Arrays");
  }
}
