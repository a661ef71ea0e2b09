// What a file is checked against.

import { createHash, type Hash } from "node:crypto";

import { badArgument } from "./checks.ts";
import type { RequestLine } from "./errors.ts";

/** The hash a file must have, in hexadecimal digits; exactly one. `sha1` and `md5` tell errors, not forgeries. */
export type Checksum =
  | { readonly sha256: string }
  | { readonly sha384: string }
  | { readonly sha512: string }
  | { readonly sha1: string }
  | { readonly md5: string };

const DIGITS: ReadonlyMap<string, number> = new Map([
  ["sha256", 64],
  ["sha384", 96],
  ["sha512", 128],
  ["sha1", 40],
  ["md5", 32],
]);

/** A checksum that is being computed. */
export interface Sum {
  readonly algorithm: string;
  readonly expected: string;
  readonly hash: Hash;
}

/** Checks the option and begins to compute; undefined if there is none. */
export function sumOf(checksum: Checksum | undefined, request: RequestLine): Sum | undefined {
  if (checksum === undefined) return undefined;
  const wanted = `one of { ${[...DIGITS.keys()].join(", ")} } with its hexadecimal digits`;
  if (typeof checksum !== "object" || checksum === null) throw badArgument(request, "checksum", checksum, wanted);
  const [entry, ...others] = Object.entries(checksum);
  if (entry === undefined || others.length > 0) throw badArgument(request, "checksum", checksum, wanted);
  const [algorithm, digits]: [string, unknown] = entry;
  if (typeof digits !== "string" || !/^[0-9a-f]+$/i.test(digits) || digits.length !== DIGITS.get(algorithm)) {
    throw badArgument(request, "checksum", checksum, wanted);
  }
  return { algorithm, expected: digits.toLowerCase(), hash: createHash(algorithm) };
}
