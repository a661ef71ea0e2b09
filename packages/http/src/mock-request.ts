// A request as it arrived at a mocked network.

/* oxlint-disable typescript/no-unnecessary-type-parameters -- json<T>() is that of ClientResponse, and of fetch in its users' eyes */

import type { ClientRequest } from "./middleware.ts";
import { isSource } from "./request-body.ts";
import type { ResponseHeaders } from "./response-headers.ts";

/** A request that a mocked network has got. */
export class MockRequest {
  /** The method, like `GET`. */
  readonly method: string;
  /** Where it goes; without userinfo and fragment. */
  readonly url: URL;
  /** The header fields. */
  readonly headers: ResponseHeaders;
  /** The body; empty if there was none. */
  readonly bytes: Uint8Array;
  /** Which attempt of a retry it is, from 1. */
  readonly attempt: number;
  /** What the parameters in the URL of the route are, like `id` in `/users/:id`. */
  readonly params: Readonly<Record<string, string>>;

  /** @internal */
  constructor(request: ClientRequest, bytes: Uint8Array, params: Readonly<Record<string, string>> = {}) {
    this.method = request.method;
    this.url = request.url;
    this.headers = request.headers;
    this.bytes = bytes;
    this.attempt = request.attempt;
    this.params = params;
  }

  /** The body as text. */
  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  /** The body as JSON. That it is a `T` is taken on trust. */
  json<T = unknown>(): T {
    const value: T = JSON.parse(this.text);
    return value;
  }
}

/** Takes the whole body, as a server would. */
export async function bytesOf({ hop }: ClientRequest): Promise<Uint8Array> {
  const { content } = hop.payload;
  if (content === null) return new Uint8Array();
  if (!isSource(content)) return Buffer.from(content);
  const parts: Buffer[] = [];
  await content.measure();
  for await (const part of content.open()) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}
