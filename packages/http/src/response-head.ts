// What is known of an answer before its body. A class of its own, from which the response inherits, because half of what a
// response offers is only a view of its head.

import type { Answer } from "./answer.ts";
import { type ContentDisposition, parseContentDisposition } from "./content-disposition.ts";
import { charsetOf, contentLengthOf, mediaTypeOf } from "./content-type.ts";
import { HttpError, type HttpErrorCode, StatusError } from "./errors.ts";
import type { RawHeaders } from "./exchange-plan.ts";
import { type Link, parseLinks } from "./links.ts";
import { ResponseHeaders } from "./response-headers.ts";
import { retryAfterMs } from "./retry-after.ts";

/** The head of an answer: what a {@link ClientResponse} says without reading its body. */
export class ResponseHead {
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
    this.#headers ??= new ResponseHeaders(this.rawHeaders);
    return this.#headers;
  }

  /** The header fields that came after the body; empty until all of it has come. */
  get trailers(): ResponseHeaders {
    return new ResponseHeaders(this.#answer.trailers);
  }

  /** The media type of the body, in lower case and without parameters, like `text/html`; undefined if not given. */
  get contentType(): string | undefined {
    return mediaTypeOf(this.rawHeaders["content-type"]);
  }

  /** The charset that `Content-Type` names, in lower case; undefined if it names none. */
  get charset(): string | undefined {
    return charsetOf(this.rawHeaders["content-type"]);
  }

  /** How many bytes of body were announced, before decompression; undefined if that is not known. */
  get contentLength(): number | undefined {
    return contentLengthOf(this.rawHeaders["content-length"]);
  }

  /** How many bytes of body have been received so far, before decompression: all of them once the body was read. */
  get wireBytes(): number {
    return this.#answer.bytesReceived;
  }

  /**
   * The IP address the answer came from, like `192.0.2.1`; undefined if a proxy stands between, which alone knows it, and
   * where there is none: a Unix socket, a cache, a middleware.
   */
  get remoteAddress(): string | undefined {
    return this.#answer.peer ?? undefined;
  }

  /** How the server wants the body to be saved; undefined if it does not say. */
  get contentDisposition(): ContentDisposition | undefined {
    return parseContentDisposition(this.rawHeaders["content-disposition"]);
  }

  /** The links of the header `Link`, the first 256 of them. */
  get links(): ReadonlyArray<Link> {
    return parseLinks(this.rawHeaders["link"], this.url);
  }

  /** The absolute URL of the first link of this relation, like `next`; undefined if there is none. */
  link(rel: string): string | undefined {
    return this.links.find((link) => link.rel.includes(rel.toLowerCase()))?.url;
  }

  /** @internal The header fields as they came. */
  get rawHeaders(): RawHeaders {
    return this.#answer.headers;
  }

  /** @internal The error that says what the status is. */
  statusError(): StatusError {
    const wait = retryAfterMs(this.rawHeaders["retry-after"]);
    return this.failed(new StatusError(this.#answer.plan.request, this.status, this.statusText, wait));
  }

  /** @internal An error about this response. */
  error(code: HttpErrorCode, what: string, options?: ErrorOptions): HttpError {
    return this.failed(new HttpError(code, this.#answer.plan.request, what, options));
  }

  /** @internal Marks an error with how many attempts it took. */
  failed<E extends HttpError>(error: E): E {
    return Object.assign(error, { attempts: this.attempts });
  }
}
