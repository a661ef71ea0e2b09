// Subresource integrity: whether bytes are the ones that were promised.

import { createHash } from "node:crypto";

/** From the weakest to the strongest; only the strongest of those given counts. */
const ALGORITHMS = ["sha256", "sha384", "sha512"];
const PROMISE = /^(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+={0,2})(?:\?.*)?$/i;

/**
 * Whether one of the promises holds. Text without a promise that is understood promises nothing.
 *
 * @see {@link https://www.w3.org/TR/SRI/#does-response-match-metadatalist}
 */
export function keepsPromise(bytes: Uint8Array, integrity: string): boolean {
  let strongest = -1;
  let digests: Buffer[] = [];
  for (const token of integrity.split(/\s+/)) {
    const [, name = "", digest = ""] = PROMISE.exec(token) ?? [];
    const strength = ALGORITHMS.indexOf(name.toLowerCase());
    if (strength < strongest || strength === -1) continue;
    if (strength > strongest) digests = [];
    strongest = strength;
    // Both alphabets of base64 are read by the one decoder.
    digests.push(Buffer.from(digest, "base64"));
  }
  const algorithm = ALGORITHMS[strongest];
  if (algorithm === undefined) return true;
  const actual = createHash(algorithm).update(bytes).digest();
  return digests.some((digest) => digest.equals(actual));
}
