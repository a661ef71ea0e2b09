// The answer, once its head is there.

import { shield } from "meanwhile";
import { currentScopeNode, enterCheckpoint } from "meanwhile/lowlevel";

import type { Answer } from "./answer.ts";
import { BodySource } from "./body-source.ts";
import { HttpError, StatusError } from "./errors.ts";
import type { RawHeaders } from "./exchange-plan.ts";
import { decodeText, joined } from "./response-bytes.ts";
import { ResponseHeaders } from "./response-headers.ts";
import { retryAfterMs } from "./retry-after.ts";

/** Leaving a response unread is worth this much reading, to keep the connection. */
const DRAIN_BYTES = 64 * 1024;
const DRAIN_MS = 100;

/**
 * The answer of a server. Its body is read once, with `text`, `json`, `bytes` or `stream`. A response whose body is not
 * read to the end holds its slot: take it with `await using`, or close it.
 *
 * @see {@link https://docs.aiohttp.org/en/stable/client_reference.html#response-object}
 */
export class ClientResponse implements AsyncDisposable {
  /** The status code, like 200. */
  readonly status: number;
  /** The reason phrase; may be empty. */
  readonly statusText: string;
  /** The URL that was asked last, without userinfo and fragment. */
  readonly url: string;
  /** The URLs that redirected here, in order. */
  readonly redirects: ReadonlyArray<string>;
  /** How many attempts it took, this one included. */
  readonly attempts: number;
  #headers: ResponseHeaders | null = null;
  #use: "unread" | "read" | "closed" = "unread";
  #reading: Promise<unknown> | null = null;
  readonly #answer: Answer;

  /** @internal */
  constructor(answer: Answer, url: string, redirects: ReadonlyArray<string>, attempts: number) {
    this.#answer = answer;
    this.status = answer.status;
    this.statusText = answer.statusText;
    this.url = url;
    this.redirects = redirects;
    this.attempts = attempts;
  }

  /** Whether the status is one of 200 to 299. */
  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  /** The header fields. */
  get headers(): ResponseHeaders {
    this.#headers ??= new ResponseHeaders(this.#answer.headers);
    return this.#headers;
  }

  /** Whether the body was read, or given up. */
  get bodyUsed(): boolean {
    return this.#use !== "unread";
  }

  /**
   * Reads the body as text, by the charset of its `Content-Type`, or else UTF-8.
   *
   * Cancellation: loses what was read of the body. The connection is closed.
   *
   * @throws {@link TooLargeError} `MW_ERR_HTTP_BODY_TOO_LARGE`, `MW_ERR_HTTP_DECOMPRESSION_BOMB`
   * @throws {@link HttpTimeoutError} `MW_ERR_HTTP_TOTAL_TIMEOUT`, `MW_ERR_HTTP_IDLE_TIMEOUT`
   * @throws {@link HttpError} `MW_ERR_HTTP_INCOMPLETE`, `MW_ERR_HTTP_PROTOCOL`, `MW_ERR_HTTP_ENCODING`, or
   * `MW_ERR_HTTP_BODY_USED` if it was read before
   */
  async text(): Promise<string> {
    const bytes = joined(await this.#collect("text"));
    return decodeText(bytes, this.#answer.headers["content-type"]);
  }

  /**
   * Reads the body as JSON. That it is a `T` is taken on trust.
   *
   * Cancellation: loses what was read of the body. As in `text`.
   *
   * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_JSON`, and what `text` throws
   */
  async json<T = unknown>(): Promise<T> {
    const text = await this.text();
    try {
      const value: T = JSON.parse(text);
      return value;
    } catch (error) {
      // Not as the cause: the parser quotes what it read.
      const [at = "its end"] = /position \d+/.exec(error instanceof Error ? error.message : "") ?? [];
      const what = `the body, of ${text.length} characters, is not JSON (at ${at})`;
      throw this.#failed(new HttpError("MW_ERR_HTTP_INVALID_JSON", this.#answer.plan.request, what));
    }
  }

  /**
   * Reads the body as bytes.
   *
   * Cancellation: loses what was read of the body. As in `text`.
   *
   * @throws what `text` throws
   */
  async bytes(): Promise<Uint8Array> {
    return joined(await this.#collect("bytes"));
  }

  /**
   * The body as it comes. Only as much is taken from the server as is asked for; leaving the loop early closes the
   * connection. `timeouts.totalMs` does not apply any more, `maxBodyBytes` does.
   *
   * Cancellation: loses the rest of the body. The connection is closed.
   *
   * @throws {@link HttpError} `MW_ERR_HTTP_BODY_USED` if it was read before; the iterator throws what `text` throws
   */
  stream(): AsyncIterableIterator<Uint8Array, undefined> {
    this.#begin("stream");
    this.#answer.forgetTotal();
    let source: BodySource | null = null;
    const next = async (): Promise<IteratorResult<Uint8Array, undefined>> =>
      this.#guarded(async () => {
        const turn = enterCheckpoint();
        if (turn !== null) await turn;
        source ??= new BodySource(this.#answer);
        const value = await source.next();
        return value === null ? { done: true, value: undefined } : { value };
      });
    const end = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
      source?.destroy();
      this.#abandon();
      return { done: true, value: undefined };
    };
    const iterator = { next, return: end, [Symbol.asyncIterator]: () => iterator };
    return iterator;
  }

  /**
   * Throws if the status is 400 or above, and closes the response then. Otherwise returns the response.
   *
   * @throws {@link StatusError} `MW_ERR_HTTP_STATUS`
   */
  raiseForStatus(): this {
    if (this.status < 400) return this;
    this.#abandon();
    throw this.statusError();
  }

  /**
   * Gives the response up: reads a little rest of an unread body so that the connection can be kept, or closes it.
   *
   * Cancellation: safe. It is held back, for 100 ms at most; in a cancelled scope it closes the connection at once.
   */
  async close(): Promise<void> {
    const answer = this.#answer;
    const isWorthKeeping = this.#use === "unread" && !answer.isOver && currentScopeNode().effective === null;
    if (this.#use === "unread") this.#use = "closed";
    if (isWorthKeeping && this.#restIsSmall()) {
      await shield(() => drain(answer), { timeoutMs: DRAIN_MS }).catch(nothing);
    }
    answer.abort();
  }

  /**
   * The same as `close()`, once a call of `text`, `json` or `bytes` that is under way has ended: so a function can
   * `return response.text()` out of the block.
   *
   * Cancellation: safe. As in `close`; it reaches the reading.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reading?.catch(nothing);
    await this.close();
  }

  /** @internal The header fields as they came. */
  get rawHeaders(): RawHeaders {
    return this.#answer.headers;
  }

  /** @internal Gives the response up without waiting: an unread body closes the connection. */
  abandon(): void {
    this.#abandon();
  }

  /** @internal The error that says what the status is. */
  statusError(): StatusError {
    const { request } = this.#answer.plan;
    const wait = retryAfterMs(this.#answer.headers["retry-after"]);
    return this.#failed(new StatusError(request, this.status, this.statusText, wait));
  }

  #begin(call: string): void {
    if (this.#use === "unread") {
      this.#use = "read";
      return;
    }
    const why = this.#use === "read" ? "its body was read before" : "the response was closed";
    const what = `${call}() cannot read it: ${why}; read the body once and keep what you need`;
    throw this.#failed(new HttpError("MW_ERR_HTTP_BODY_USED", this.#answer.plan.request, what));
  }

  async #collect(call: string): Promise<Uint8Array[]> {
    this.#begin(call);
    const reading = this.#guarded(async () => {
      const turn = enterCheckpoint();
      if (turn !== null) await turn;
      const source = new BodySource(this.#answer);
      try {
        return await source.collect();
      } finally {
        source.destroy();
      }
    });
    this.#reading = reading;
    return reading;
  }

  /** Whatever is thrown out of here leaves no connection behind. */
  async #guarded<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      this.#abandon();
      throw error instanceof HttpError ? this.#failed(error) : error;
    }
  }

  #abandon(): void {
    if (this.#use === "unread") this.#use = "closed";
    this.#answer.abort();
  }

  #restIsSmall(): boolean {
    const { headers, bytesReceived } = this.#answer;
    const announced = Number(headers["content-length"] ?? 0);
    return announced - bytesReceived <= DRAIN_BYTES;
  }

  #failed<E extends HttpError>(error: E): E {
    return Object.assign(error, { attempts: this.attempts });
  }
}

/** Reads and drops the rest, unless there is a lot of it. */
async function drain(answer: Answer): Promise<void> {
  let count = 0;
  for (let chunk = await answer.read(); chunk !== null && count <= DRAIN_BYTES; chunk = await answer.read()) {
    count += chunk.length;
  }
}

function nothing(): void {}
