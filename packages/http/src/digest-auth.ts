// Logging in without showing the password: a server says what to hash it with.
//
//   request ──▶ 401 with a challenge ──▶ request with the answer to it
//     └─ the challenge of that origin is known: the answer goes along at once, with the next count

import { parseChallenges } from "./auth-challenge.ts";
import { type AuthOptions, callOf, credential, loginRule } from "./auth-rules.ts";
import { badArgument } from "./checks.ts";
import { type Login, Space, Spaces } from "./digest-space.ts";
import { HttpError } from "./errors.ts";
import type { ClientRequest, Middleware } from "./middleware.ts";
import type { ClientResponse } from "./response.ts";
import { Secret } from "./secret.ts";

/**
 * Logs in with a name and a password that is not sent, only a hash of it: MD5, SHA-256 or SHA-512-256, the strongest the
 * server offers. The first request to an origin is sent twice, if its body can be; later ones bring their answer along.
 *
 * A request throws {@link HttpError} `MW_ERR_HTTP_AUTH` if the server wants an algorithm or a protection of the body that is
 * not known here, or that cannot be given for a streamed body.
 *
 * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT` for control characters, or a colon in the name
 * @see {@link https://www.rfc-editor.org/rfc/rfc7616}
 *
 * @example
 * ```ts
 * import { ClientSession, digestAuth, type Middleware } from "@meanwhile/http";
 *
 * const server: Middleware = (request) =>
 *   request.headers.has("authorization")
 *     ? request.respond({ body: "come in" })
 *     : request.respond({
 *         status: 401,
 *         headers: { "www-authenticate": 'Digest realm="door", nonce="123", qop="auth", algorithm=SHA-256' },
 *       });
 * await using session = new ClientSession({ middlewares: [digestAuth("Mufasa", "Circle of Life"), server] });
 * console.log(await (await session.get("http://example.test/")).text()); //> come in
 * ```
 */
export function digestAuth(user: string, password: string | Secret, options: AuthOptions = {}): Middleware {
  const call = callOf("digestAuth");
  const name = credential(user, "user", call);
  if (name.includes(":"))
    throw badArgument(call, "user", name, "one without a colon: it ends where the password begins");
  const login = { user: name, password: credential(password, "password", call) };
  const mayLogIn = loginRule(options, call);
  const spaces = new Spaces();
  return async (request, next) => {
    if (!mayLogIn(request)) return next(request);
    const known = spaces.find(request);
    const first = await next(known === null ? request : answered(known, request, login));
    if (first.status !== 401) return learnt(known, first);
    const asked = await spaceOf(first, request);
    // The same question again: the answer was wrong, and would be again.
    if (asked === null || asked.isLike(known)) {
      spaces.forget(request);
      return first;
    }
    const space = spaces.keep(request, asked);
    if (!request.isRepeatable) return first;
    await first.close();
    const second = await next(answered(space, request, login));
    if (second.status === 401) spaces.forget(request);
    return learnt(space, second);
  };
}

function answered(space: Space, request: ClientRequest, login: Login): ClientRequest {
  return request.with({ headers: { authorization: new Secret(space.answer(request, login)) } });
}

function learnt(space: Space | null, response: ClientResponse): ClientResponse {
  space?.learn(response.headers.get("authentication-info") ?? "");
  return response;
}

/** The strongest challenge that can be answered; null if digest is not asked for. */
async function spaceOf(response: ClientResponse, request: ClientRequest): Promise<Space | null> {
  const offers = parseChallenges(response.headers.get("www-authenticate") ?? "").filter(
    ({ scheme }) => scheme === "digest",
  );
  if (offers.length === 0) return null;
  const isKnownBody = request.body !== undefined;
  const usable = offers.map((offer) => Space.of(offer, isKnownBody)).filter((space) => space !== null);
  const [best] = usable.toSorted((one, other) => other.strength - one.strength);
  if (best !== undefined) return best;
  await response.close();
  const what = "the server asks for a digest whose algorithm or qop is not known, or needs a body of text or bytes";
  throw new HttpError("MW_ERR_HTTP_AUTH", { method: request.method, url: request.url.href }, what);
}
