// A network for tests of code that makes requests: answers by routes, and no connection is ever made.

import { AssertionError } from "node:assert";

import { badArgument } from "./checks.ts";
import { HttpError, type RequestLine } from "./errors.ts";
import type { ClientRequest, Middleware } from "./middleware.ts";
import { matcherOf, type MockMatch, type MockUrl } from "./mock-match.ts";
import { answerWith, checkReply, type MockReplier } from "./mock-reply.ts";
import { bytesOf, MockRequest } from "./mock-request.ts";
import { MockRoute } from "./mock-route.ts";
import type { ClientResponse } from "./response.ts";

const OK: MockReplier = {};
const HERE: RequestLine = { method: "mock", url: "the network" };

/**
 * Stands in for the network under a session. A request goes to the first route, in the order they were made, that fits
 * and has not had all its requests; so a sequence is written as one route after the other with `once()`. Retries,
 * redirects, timeouts and scopes are those of the session. A request that no route fits is an error.
 *
 * Put `middleware` last into the `middlewares` of the session.
 *
 * @see {@link https://undici.nodejs.org/#/docs/api/MockAgent}
 *
 * @example
 * ```ts
 * import { ClientSession } from "@meanwhile/http";
 * import { MockNetwork } from "@meanwhile/http/testing";
 *
 * const network = new MockNetwork();
 * network.get("http://api.test/users/:id", { status: 503 }).once();
 * network.get("http://api.test/users/:id", ({ params }) => ({ json: { id: params["id"] } }));
 *
 * await using session = new ClientSession({ middlewares: [network.middleware] });
 * console.log((await session.get("http://api.test/users/7")).status); //> 503
 * console.log(await (await session.get("http://api.test/users/7")).json()); //> { id: '7' }
 * network.assertDone();
 * ```
 */
export class MockNetwork {
  /** The requests that were answered, in order. */
  readonly calls: MockRequest[] = [];
  /** The requests that no route was for. */
  readonly unmatched: MockRequest[] = [];
  /** For the `middlewares` of a session: the last one. */
  readonly middleware: Middleware = (request) => this.#answer(request);
  readonly #routes: MockRoute[] = [];

  /** The last request that was answered; undefined if there was none. */
  get lastCall(): MockRequest | undefined {
    return this.calls.at(-1);
  }

  /**
   * Answers the requests that `match` describes.
   *
   * @param reply - what to answer, or a function that makes it of the request. Default: an empty 200
   * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT` for what cannot be used
   */
  on(match: MockMatch, reply: MockReplier = OK): MockRoute {
    checkReply(reply, HERE);
    const route = new MockRoute(matcherOf(match), reply);
    this.#routes.push(route);
    return route;
  }

  /** Answers GET requests to `url`, as `on` does. */
  get(url: MockUrl, reply?: MockReplier): MockRoute {
    return this.on({ method: "GET", url }, reply);
  }

  /** Answers HEAD requests to `url`, as `on` does. */
  head(url: MockUrl, reply?: MockReplier): MockRoute {
    return this.on({ method: "HEAD", url }, reply);
  }

  /** Answers POST requests to `url`, as `on` does. */
  post(url: MockUrl, reply?: MockReplier): MockRoute {
    return this.on({ method: "POST", url }, reply);
  }

  /** Answers PUT requests to `url`, as `on` does. */
  put(url: MockUrl, reply?: MockReplier): MockRoute {
    return this.on({ method: "PUT", url }, reply);
  }

  /** Answers PATCH requests to `url`, as `on` does. */
  patch(url: MockUrl, reply?: MockReplier): MockRoute {
    return this.on({ method: "PATCH", url }, reply);
  }

  /** Answers DELETE requests to `url`, as `on` does. */
  delete(url: MockUrl, reply?: MockReplier): MockRoute {
    return this.on({ method: "DELETE", url }, reply);
  }

  /**
   * Throws if a route with `times` or `once` has not had all its requests, or if a request fitted none.
   *
   * @throws AssertionError of Node, with what is missing
   */
  assertDone(): void {
    const missing = this.#routes.filter((route) => route.missing > 0).map((route) => `  missing: ${String(route)}`);
    const strange = this.unmatched.map(({ method, url }) => `  no route: ${method} ${url.origin}${url.pathname}`);
    const problems = [...missing, ...strange];
    if (problems.length === 0) return;
    throw new AssertionError({ message: `The mocked network is not done:\n${problems.join("\n")}` });
  }

  /** Forgets all routes and calls. */
  reset(): void {
    for (const list of [this.#routes, this.calls, this.unmatched]) list.length = 0;
  }

  async #answer(request: ClientRequest): Promise<ClientResponse> {
    const bytes = await bytesOf(request);
    const sent = withCookies(request);
    const asked = new MockRequest(sent, bytes);
    for (const route of this.#routes) {
      const params = route.isSpent ? null : route.matcher.match(asked);
      if (params === null) continue;
      const call = new MockRequest(sent, bytes, params);
      route.calls.push(call);
      this.calls.push(call);
      return this.#replied(route, call, request);
    }
    this.unmatched.push(asked);
    throw this.#notMocked({ method: request.method, url: request.url.href });
  }

  async #replied({ replier }: MockRoute, call: MockRequest, request: ClientRequest): Promise<ClientResponse> {
    const reply: unknown = typeof replier === "function" ? await replier(call) : replier;
    const line = { method: request.method, url: request.url.href };
    checkReply(reply, line);
    if (typeof reply === "function") throw badArgument(line, "reply", reply, "a function that returns an object");
    const response = await answerWith(reply, request);
    request.cookies?.storeFrom(request.url, response.headers.getSetCookie());
    return response;
  }

  #notMocked(line: RequestLine): HttpError {
    const routes = this.#routes.map((route) => `\n  ${String(route)}`).join("");
    const what = `no route of the mocked network is for it; there ${routes === "" ? "is none" : `are:${routes}`}`;
    return new HttpError("MW_ERR_HTTP_NOT_MOCKED", line, what);
  }
}

/** The request as a server would see it. */
function withCookies(request: ClientRequest): ClientRequest {
  const kept = request.cookies?.cookieHeader(request.url);
  if (kept === undefined) return request;
  const own = request.headers.get("cookie");
  return request.with({ headers: { cookie: own === null ? kept : `${own}; ${kept}` } });
}
