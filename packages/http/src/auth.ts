// Logging in by showing credentials: basic and bearer.

import { Lock } from "meanwhile";

import { type AuthOptions, callOf, credential, loginRule } from "./auth-rules.ts";
import { badArgument } from "./checks.ts";
import type { ClientRequest, Middleware } from "./middleware.ts";
import { Secret } from "./secret.ts";

/** A token, or where to get one. */
export type TokenSource = string | Secret | (() => string | Secret | PromiseLike<string | Secret>);

/**
 * Logs in with a name and a password, at once, with every request. What the caller set as `Authorization` stays, and the
 * server of another origin to which a redirect leads gets nothing.
 *
 * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT` for control characters, or a colon in the name
 * @see {@link https://www.rfc-editor.org/rfc/rfc7617}
 *
 * @example
 * ```ts
 * import { basicAuth, ClientSession, type Middleware } from "@meanwhile/http";
 *
 * const echo: Middleware = (request) => request.respond({ body: request.headers.get("authorization") ?? "" });
 * await using session = new ClientSession({ middlewares: [basicAuth("Aladdin", "open sesame"), echo] });
 * console.log(await (await session.get("http://example.test/")).text()); //> Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==
 * ```
 */
export function basicAuth(user: string, password: string | Secret, options: AuthOptions = {}): Middleware {
  const call = callOf("basicAuth");
  const name = credential(user, "user", call);
  if (name.includes(":"))
    throw badArgument(call, "user", name, "one without a colon: it ends where the password begins");
  const pair = `${name}:${credential(password, "password", call)}`;
  const authorization = new Secret(`Basic ${Buffer.from(pair).toString("base64")}`);
  const mayLogIn = loginRule(options, call);
  return (request, next) => next(mayLogIn(request) ? request.with({ headers: { authorization } }) : request);
}

/**
 * Logs in with a token. A function is asked for it when it is needed first, and once more when a server answers 401: many
 * requests that find out at once ask for one new token, and each is sent once more with it, if its body can be. The
 * function runs in the scope of the request that asked first; what it awaits of others it wraps in `cancellable`.
 *
 * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT` for a token with other than visible ASCII characters; from a
 * function, that is thrown by the request
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750}
 *
 * @example
 * ```ts
 * import { bearerAuth, ClientSession, type Middleware } from "@meanwhile/http";
 *
 * const tokens = ["old", "new"];
 * const server: Middleware = (request) =>
 *   request.respond({ status: request.headers.get("authorization") === "Bearer new" ? 200 : 401 });
 * await using session = new ClientSession({ middlewares: [bearerAuth(() => tokens.shift() ?? ""), server] });
 * console.log((await session.get("http://example.test/")).status); //> 200
 * ```
 */
export function bearerAuth(token: TokenSource, options: AuthOptions = {}): Middleware {
  const call = callOf("bearerAuth");
  const mayLogIn = loginRule(options, call);
  if (typeof token !== "function") {
    const authorization = bearer(token);
    return (request, next) => next(mayLogIn(request) ? withToken(request, authorization) : request);
  }
  const cache = new TokenCache(token);
  return async (request, next) => {
    if (!mayLogIn(request)) return next(request);
    const first = await cache.get(null);
    const response = await next(withToken(request, first));
    if (response.status !== 401 || !request.isRepeatable) return response;
    await response.close();
    return next(withToken(request, await cache.get(first)));
  };
}

/** The field with the last token. One task asks for a new one, the others wait for it; when it fails, the next one asks. */
class TokenCache {
  readonly #source: () => string | Secret | PromiseLike<string | Secret>;
  readonly #asking = new Lock();
  #last: Secret | null = null;

  constructor(source: () => string | Secret | PromiseLike<string | Secret>) {
    this.#source = source;
  }

  /** @param refused - the one that is of no use any more */
  async get(refused: Secret | null): Promise<Secret> {
    if (this.#last !== null && this.#last !== refused) return this.#last;
    using _held = await this.#asking.acquire();
    if (this.#last !== null && this.#last !== refused) return this.#last;
    this.#last = null;
    this.#last = bearer(await this.#source());
    return this.#last;
  }
}

function withToken(request: ClientRequest, authorization: Secret): ClientRequest {
  return request.with({ headers: { authorization } });
}

function bearer(token: unknown): Secret {
  const text = token instanceof Secret ? token.reveal() : token;
  if (typeof text === "string" && /^[\x21-\x7e]+$/.test(text)) return new Secret(`Bearer ${text}`);
  throw badArgument(callOf("bearerAuth"), "token", token, "a string or Secret of visible ASCII characters");
}
