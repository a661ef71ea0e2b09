// The arithmetic of digest authentication: from a challenge and a password to the field that answers it.

import { createHash, getHashes } from "node:crypto";

/** What a server asks for. Its texts are Latin-1, as they came. */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: DigestAlgorithm;
  /** What is protected; undefined as it was in the first days, without counting. */
  readonly qop: "auth" | "auth-int" | undefined;
  /** Whether the name is hashed too. */
  readonly userhash: boolean;
}

/** A way to hash. */
export interface DigestAlgorithm {
  /** As the challenge spells it; undefined if it does not. */
  readonly name: string | undefined;
  /** As Node calls it. */
  readonly hash: string;
  readonly isSession: boolean;
}

/** What a challenge is answered for. */
export interface DigestRequest {
  readonly user: string;
  readonly password: string;
  readonly method: string;
  /** Path and query, as they are sent. */
  readonly uri: string;
  readonly body: string | Uint8Array;
  readonly cnonce: string;
  /** How often the nonce was used, this time included. */
  readonly count: number;
}

// The weakest first.
const HASHES: ReadonlyArray<readonly [name: string, hash: string]> = [
  ["md5", "md5"],
  ["sha-256", "sha256"],
  ["sha-512-256", "sha512-256"],
];

/** The algorithm of that name, with its strength; null if it is unknown here. */
export function algorithmOf(name: string | undefined): (DigestAlgorithm & { readonly strength: number }) | null {
  const lower = (name ?? "md5").toLowerCase();
  const isSession = lower.endsWith("-sess");
  const plain = isSession ? lower.slice(0, -"-sess".length) : lower;
  const strength = HASHES.findIndex(([known]) => known === plain);
  const hash = HASHES[strength]?.[1];
  return hash === undefined || !getHashes().includes(hash) ? null : { name, hash, isSession, strength };
}

/**
 * The field `Authorization`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7616#section-3.4}
 */
export function digestField(challenge: DigestChallenge, request: DigestRequest): string {
  const { realm, nonce, opaque, algorithm, qop, userhash } = challenge;
  const { uri, cnonce } = request;
  const count = request.count.toString(16).padStart(8, "0");
  const parts = [
    ...nameParts(challenge, request),
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(uri)}`,
    `response="${responseOf(challenge, request, count)}"`,
  ];
  if (algorithm.name !== undefined) parts.push(`algorithm=${algorithm.name}`);
  if (opaque !== undefined) parts.push(`opaque=${quoted(opaque)}`);
  if (qop !== undefined) parts.push(`qop=${qop}`, `nc=${count}`);
  if (qop !== undefined || algorithm.isSession) parts.push(`cnonce=${quoted(cnonce)}`);
  if (userhash) parts.push("userhash=true");
  return `Digest ${parts.join(", ")}`;
}

function nameParts({ realm, algorithm, userhash }: DigestChallenge, { user }: DigestRequest): string[] {
  if (userhash) return [`username="${hashText(algorithm.hash, `${utf8(user)}:${realm}`)}"`];
  if (/^[\x20-\x7e]*$/.test(user)) return [`username=${quoted(user)}`];
  const encoded = encodeURIComponent(user).replaceAll(/['()*]/g, (found) => `%${found.charCodeAt(0).toString(16)}`);
  return [`username*=UTF-8''${encoded}`];
}

function responseOf({ realm, nonce, algorithm, qop }: DigestChallenge, request: DigestRequest, count: string): string {
  const { user, password, method, uri, body, cnonce } = request;
  const hash = (text: string): string => hashText(algorithm.hash, text);
  const plain = hash(`${utf8(user)}:${realm}:${utf8(password)}`);
  const secret = algorithm.isSession ? hash(`${plain}:${nonce}:${cnonce}`) : plain;
  const bodyPart = qop === "auth-int" ? `:${createHash(algorithm.hash).update(body).digest("hex")}` : "";
  const about = hash(`${method}:${uri}${bodyPart}`);
  return hash(
    qop === undefined ? `${secret}:${nonce}:${about}` : `${secret}:${nonce}:${count}:${cnonce}:${qop}:${about}`,
  );
}

function hashText(name: string, latin1: string): string {
  return createHash(name).update(latin1, "latin1").digest("hex");
}

/** The bytes of UTF-8, as Latin-1: so that they can stand beside what a server sent. */
function utf8(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
