// The answer, once its head is there.

import type { Answer } from "./answer.ts";
import { isJson } from "./content-type.ts";
import {
  EventReader,
  eventStreamOptions,
  type EventStreamOptions,
  notAnEventStream,
  type ServerSentEvent,
} from "./event-stream.ts";
import type { Settled } from "./options.ts";
import { type ByteStream, ResponseBody } from "./response-body.ts";
import { decodeText, joined, jsonProblem } from "./response-bytes.ts";
import { ResponseHead } from "./response-head.ts";
import { LineSplitting, linesOptions, type LinesOptions } from "./response-lines.ts";
import { saveBody, type Saved, saveOptions, type SaveOptions } from "./save.ts";
import { SplitBody, type TextSource } from "./split-body.ts";

/** Options of {@link ClientResponse.json}. */
export interface JsonOptions {
  /** Whether another `Content-Type` than one of JSON is an error. Default: `false`. */
  readonly checkContentType?: boolean | undefined;
}

/**
 * The answer of a server. Its body is read once: with `text`, `json`, `bytes`, `stream`, `lines`, `sse` or `saveTo`. A
 * response whose body is not read to the end holds its slot: take it with `await using`, or close it.
 *
 * @see {@link https://docs.aiohttp.org/en/stable/client_reference.html#response-object}
 */
export class ClientResponse extends ResponseHead implements AsyncDisposable {
  readonly #answer: Answer;
  readonly #body: ResponseBody;

  /** @internal */
  constructor(answer: Answer, url: string, redirects: ReadonlyArray<string>, attempts: number) {
    super(answer, url, redirects, attempts);
    this.#answer = answer;
    this.#body = new ResponseBody(answer, attempts);
  }

  /** Whether the body was read, or given up. */
  get bodyUsed(): boolean {
    return this.#body.isUsed;
  }

  /**
   * Reads the body as text, by a byte order mark, the charset of its `Content-Type`, or else UTF-8.
   *
   * Cancellation: loses what was read of the body. The connection is closed.
   *
   * @throws {@link TooLargeError} `MW_ERR_HTTP_BODY_TOO_LARGE`, `MW_ERR_HTTP_DECOMPRESSION_BOMB`
   * @throws {@link HttpTimeoutError} `MW_ERR_HTTP_TOTAL_TIMEOUT`, `MW_ERR_HTTP_IDLE_TIMEOUT`
   * @throws {@link HttpError} `MW_ERR_HTTP_INCOMPLETE`, `MW_ERR_HTTP_PROTOCOL`, `MW_ERR_HTTP_ENCODING`, or
   * `MW_ERR_HTTP_BODY_USED` if it was read before
   */
  async text(): Promise<string> {
    return decodeText(await this.#body.collect("text"), this.#answer.headers["content-type"]);
  }

  /**
   * Reads the body as JSON. That it is a `T` is taken on trust.
   *
   * Cancellation: loses what was read of the body. As in `text`.
   *
   * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_JSON`, `MW_ERR_HTTP_CONTENT_TYPE` if `checkContentType` is set, and what
   * `text` throws
   */
  async json<T = unknown>({ checkContentType = false }: JsonOptions = {}): Promise<T> {
    if (checkContentType && !isJson(this.#answer.headers["content-type"])) {
      this.#body.abandon();
      throw this.error("MW_ERR_HTTP_CONTENT_TYPE", "the Content-Type of the answer is not one of JSON");
    }
    const text = await this.text();
    try {
      const value: T = JSON.parse(text);
      return value;
    } catch (error) {
      throw this.error("MW_ERR_HTTP_INVALID_JSON", jsonProblem(text, error));
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
    return joined(await this.#body.collect("bytes"));
  }

  /**
   * The body as it comes. Only as much is taken from the server as is asked for; leaving the loop early closes the
   * connection. `timeouts.totalMs` does not apply any more, `maxBodyBytes` does. Wait for each piece before the next.
   *
   * Cancellation: loses the rest of the body. The connection is closed.
   *
   * @throws {@link HttpError} `MW_ERR_HTTP_BODY_USED` if it was read before; the iterator throws what `text` throws, and
   * `MW_ERR_HTTP_BODY_USED` for a second `next()` while one is under way
   */
  stream(): AsyncIterableIterator<Uint8Array, undefined> {
    return this.#body.stream("stream");
  }

  /**
   * The body as lines of text, as they come. They end in LF or CRLF, which is left out; the last one needs no end. The
   * charset is that of `text`. As with `stream`, leaving the loop early closes the connection, and only `maxBodyBytes`
   * and the idle timeout apply.
   *
   * Cancellation: loses the rest of the body. The connection is closed.
   *
   * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT`, `MW_ERR_HTTP_BODY_USED`; the iterator throws what `text`
   * throws, and {@link TooLargeError} `MW_ERR_HTTP_LINE_TOO_LONG` after the lines before that one
   *
   * @example
   * ```ts
   * import { ClientSession } from "@meanwhile/http";
   *
   * await using session = new ClientSession({ middlewares: [(request) => request.respond({ body: "one\r\ntwo\nend" })] });
   * const lines: string[] = [];
   * for await (const line of (await session.get("http://example.test/log")).lines()) lines.push(line);
   * console.log(lines); //> [ 'one', 'two', 'end' ]
   * ```
   */
  lines(options: LinesOptions = {}): AsyncIterableIterator<string, undefined> {
    const settled = linesOptions(options, this.#answer.plan.request);
    const source = this.#textSource("lines");
    return new SplitBody(source, new LineSplitting(source, settled));
  }

  /**
   * The body as server-sent events, as they come, until the server ends it. For one that comes back after a broken
   * connection there is `serverSentEvents`. An endless stream needs a `maxBodyBytes` of `Infinity`.
   *
   * Cancellation: loses the rest of the body. The connection is closed.
   *
   * @throws {@link HttpError} `MW_ERR_HTTP_CONTENT_TYPE` if it is no stream of events, `MW_ERR_HTTP_INVALID_ARGUMENT`,
   * `MW_ERR_HTTP_BODY_USED`; the iterator throws what `text` throws, and {@link TooLargeError}
   * `MW_ERR_HTTP_EVENT_TOO_LARGE`
   * @see {@link https://html.spec.whatwg.org/multipage/server-sent-events.html}
   */
  sse(options: EventStreamOptions = {}): AsyncIterableIterator<ServerSentEvent, undefined> {
    return this.openEvents(options).events;
  }

  /**
   * Saves the body as a file: it is written under another name beside it, and gets its own when it is complete and on the
   * disk. Nothing that was there is replaced unless `overwrite` is set. When it fails, nothing is left. As with `stream`,
   * only `maxBodyBytes` and the idle timeout apply. For a download that can be resumed there is `download`.
   *
   * Cancellation: loses the rest of the body. The connection is closed and what was written is removed.
   *
   * @throws {@link HttpError} `MW_ERR_HTTP_FILE_EXISTS`, `MW_ERR_HTTP_FILE` with the error of the system as its `cause`,
   * `MW_ERR_HTTP_CHECKSUM`, `MW_ERR_HTTP_INVALID_ARGUMENT`, and what `text` throws
   */
  async saveTo(path: string, options: SaveOptions = {}): Promise<Saved> {
    const settled = saveOptions(path, options, this.#answer.plan.request);
    const save = (): Promise<Saved> => saveBody(this, this.#body.stream("saveTo", settled.maxBytes), settled);
    return this.#body.hold(save());
  }

  /**
   * Throws if the status is 400 or above, and closes the response then. Otherwise returns the response.
   *
   * @throws {@link StatusError} `MW_ERR_HTTP_STATUS`
   */
  raiseForStatus(): this {
    if (this.status < 400) return this;
    this.#body.abandon();
    throw this.statusError();
  }

  /**
   * Gives the response up: reads a little rest of an unread body so that the connection can be kept, or closes it.
   *
   * Cancellation: safe. It is held back, for 100 ms at most; in a cancelled scope it closes the connection at once.
   */
  close(): Promise<void> {
    return this.#body.close();
  }

  /**
   * The same as `close()`, once a call of `text`, `json`, `bytes` or `saveTo` that is under way has ended: so a function can
   * `return response.text()` out of the block.
   *
   * Cancellation: safe. As in `close`; it reaches the reading.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#body.settle();
  }

  /** @internal Gives the response up without waiting: an unread body closes the connection. */
  abandon(): void {
    this.#body.abandon();
  }

  /** @internal What its request was told. */
  get settled(): Settled {
    return this.#answer.plan.settled;
  }

  /** @internal The same response, reading from what `wrap` makes of its answer. */
  over(wrap: (answer: Answer) => Answer): ClientResponse {
    return new ClientResponse(wrap(this.#answer), this.url, this.redirects, this.attempts);
  }

  /** @internal Like {@link stream}, with a limit of its own. */
  openBytes(call: string, limit: number): ByteStream {
    return this.#body.stream(call, limit);
  }

  /** @internal Like {@link sse}, going on after an event of an earlier response. */
  openEvents(options: EventStreamOptions, lastEventId?: string): EventReader {
    const { maxEventBytes, anyContentType } = eventStreamOptions(options, this.#answer.plan.request);
    const error = anyContentType
      ? undefined
      : notAnEventStream(this.rawHeaders["content-type"], this.#answer.plan.request);
    if (error === undefined) return new EventReader(this.#textSource("sse"), maxEventBytes, lastEventId);
    this.#body.abandon();
    throw this.#body.failed(error);
  }

  #textSource(call: string): TextSource {
    return {
      request: this.#answer.plan.request,
      contentType: this.rawHeaders["content-type"],
      bytes: this.#body.stream(call),
      failed: (error) => this.#body.failed(error),
    };
  }
}
