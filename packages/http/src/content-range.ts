// Which part of a file an answer has, and whether it is still the same file.

import { contentLengthOf } from "./content-type.ts";
import type { RawHeaders } from "./exchange-plan.ts";

/** A parsed `Content-Range`. */
export interface ContentRange {
  /** First and last byte; null where the answer has none of it. */
  readonly range: { readonly first: number; readonly last: number } | null;
  /** The size of the file; undefined if the server does not know it. */
  readonly totalBytes: number | undefined;
}

/** `bytes 500-999/1000`; null if it is anything else. */
export function parseContentRange(header: string | string[] | undefined): ContentRange | null {
  const found = /^bytes (?:(\d{1,16})-(\d{1,16})|\*)\/(?:(\d{1,16})|\*)$/i.exec(
    typeof header === "string" ? header.trim() : "",
  );
  if (found === null) return null;
  const [, first, last, total] = found;
  const totalBytes = total === undefined ? undefined : contentLengthOf(total);
  if (first === undefined || last === undefined) return { range: null, totalBytes };
  const range = { first: Number(first), last: Number(last) };
  const isPossible = range.first <= range.last && range.last < (totalBytes ?? Infinity);
  return isPossible && Number.isSafeInteger(range.last) ? { range, totalBytes } : null;
}

/** What tells two versions of a file apart. */
export interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

const STRONG = /^"[\x21\x23-\x7e\x80-\xff]*"$/;
/** A file may change twice within the second that `Last-Modified` can tell. */
const SURE_AFTER_MS = 1_000;

/** What of an answer can be relied on to name one version, byte by byte: an `If-Range` may hold nothing else. */
export function validatorsOf(headers: RawHeaders): Validators | undefined {
  const { etag, date } = headers;
  const modified = headers["last-modified"];
  const isStrong = typeof etag === "string" && STRONG.test(etag);
  if (isStrong) return { etag, lastModified: undefined };
  // A weak tag says that the bytes may differ while it stays the same.
  if (etag !== undefined || typeof modified !== "string" || typeof date !== "string") return undefined;
  const ageMs = Date.parse(date) - Date.parse(modified);
  return ageMs >= SURE_AFTER_MS ? { etag: undefined, lastModified: modified } : undefined;
}

/**
 * Whether an answer does not say that it is of another version. A part has to say that it is of the same one where there is a
 * tag for that: a server that does not know `If-Range` sends one of whatever is there.
 */
export function isSameVersion({ etag, lastModified }: Validators, status: number, headers: RawHeaders): boolean {
  if (etag !== undefined) return headers["etag"] === etag || (status !== 206 && headers["etag"] === undefined);
  return headers["last-modified"] === undefined || headers["last-modified"] === lastModified;
}
