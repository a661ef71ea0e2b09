// What of a digest challenge outlives the request it was made for: its nonce, and how often that was used.

import { randomBytes } from "node:crypto";

import { type Challenge, parseParameters } from "./auth-challenge.ts";
import { algorithmOf, type DigestChallenge, digestField } from "./digest.ts";
import type { ClientRequest } from "./middleware.ts";
import { hasControls } from "./target.ts";

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** What a challenge protects, and how far its nonce is used up. */
export class Space {
  readonly strength: number;
  readonly #isStale: boolean;
  readonly #domain: ReadonlyArray<string>;
  #challenge: DigestChallenge;
  #count = 0;

  private constructor(challenge: DigestChallenge, strength: number, { parameters }: Challenge) {
    this.#challenge = challenge;
    this.strength = strength;
    this.#isStale = parameters.get("stale")?.toLowerCase() === "true";
    this.#domain = (parameters.get("domain") ?? "").split(" ").filter((uri) => uri !== "");
  }

  /** Null if the challenge cannot be answered here. */
  static of(offer: Challenge, isKnownBody: boolean): Space | null {
    const { parameters } = offer;
    const algorithm = algorithmOf(parameters.get("algorithm"));
    const realm = parameters.get("realm");
    const nonce = parameters.get("nonce");
    const qop = qopOf(parameters.get("qop"), isKnownBody);
    if (algorithm === null || realm === undefined || nonce === undefined || qop === null) return null;
    if (hasControls(realm + nonce + (parameters.get("opaque") ?? ""))) return null;
    const userhash = parameters.get("userhash")?.toLowerCase() === "true";
    const challenge = { realm, nonce, opaque: parameters.get("opaque"), algorithm, qop, userhash };
    return new Space(challenge, algorithm.strength, offer);
  }

  /** Whether a request to its origin is in it, and can be answered for. */
  covers({ url, body }: ClientRequest): boolean {
    if (this.#challenge.qop === "auth-int" && body === undefined) return false;
    if (this.#domain.length === 0) return true;
    return this.#domain.some((uri) => {
      const start = URL.parse(uri, url);
      return start?.origin === url.origin && url.pathname.startsWith(start.pathname);
    });
  }

  /** Whether it is the same question. */
  isLike(known: Space | null): boolean {
    return known !== null && !this.#isStale && known.#challenge.nonce === this.#challenge.nonce;
  }

  /** Whether it is the same challenge, given to another request: the count of its nonce goes on. */
  isSameAs(other: Space): boolean {
    const { realm, nonce, opaque, algorithm, qop, userhash } = this.#challenge;
    const that = other.#challenge;
    const isOneNonce = nonce === that.nonce && realm === that.realm && opaque === that.opaque && !other.#isStale;
    return isOneNonce && algorithm.name === that.algorithm.name && qop === that.qop && userhash === that.userhash;
  }

  answer({ method, url, body }: ClientRequest, login: Login): string {
    this.#count += 1;
    const uri = `${url.pathname}${url.search}`;
    const cnonce = randomBytes(16).toString("hex");
    return digestField(this.#challenge, { ...login, method, uri, body: body ?? "", cnonce, count: this.#count });
  }

  /** Takes over the nonce that the server wants next, from the field `Authentication-Info`. */
  learn(info: string): void {
    const nonce = parseParameters(info).get("nextnonce");
    if (nonce === undefined || hasControls(nonce)) return;
    this.#challenge = { ...this.#challenge, nonce };
    this.#count = 0;
  }
}

/** What can be protected of what is offered; null if nothing. */
function qopOf(offered: string | undefined, isKnownBody: boolean): "auth" | "auth-int" | undefined | null {
  if (offered === undefined) return undefined;
  const names = offered
    .toLowerCase()
    .split(",")
    .map((name) => name.trim());
  if (names.includes("auth")) return "auth";
  return names.includes("auth-int") && isKnownBody ? "auth-int" : null;
}

const MOST_ORIGINS = 1_000;

/** The last challenge of each origin. */
export class Spaces {
  readonly #byOrigin = new Map<string, Space>();

  find(request: ClientRequest): Space | null {
    const space = this.#byOrigin.get(request.url.origin);
    return space?.covers(request) === true ? space : null;
  }

  /** Keeps a space, and says which one to answer from: the one that is there already if that is of the same challenge. */
  keep(request: ClientRequest, space: Space): Space {
    const { origin } = request.url;
    const kept = this.#byOrigin.get(origin);
    if (kept?.isSameAs(space) === true && kept.covers(request)) return kept;
    if (this.#byOrigin.size >= MOST_ORIGINS) this.#byOrigin.clear();
    this.#byOrigin.set(origin, space);
    return space;
  }

  forget({ url }: ClientRequest): void {
    this.#byOrigin.delete(url.origin);
  }
}
