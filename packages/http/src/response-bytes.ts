// What the pieces of a body are together: bytes, or text.

import { charsetOf } from "./content-type.ts";

/** The pieces as one. */
export function joined(parts: ReadonlyArray<Uint8Array>): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

const UTF8 = new TextDecoder();
const NO_BYTES = new Uint8Array();

/** The text in the pieces, by a byte order mark, the charset of a Content-Type, or else UTF-8. */
export function decodeText(parts: ReadonlyArray<Uint8Array>, type: string | string[] | undefined): string {
  const [first = NO_BYTES] = parts;
  const bytes = parts.length > 1 ? joined(parts) : first;
  const encoding = encodingOf(type, bytes);
  // The same text as that of a TextDecoder, sooner; which also takes away a byte order mark.
  if (encoding === "utf-8" && bytes instanceof Buffer && bytes[0] !== 0xef) return bytes.toString("utf8");
  return (encoding === "utf-8" ? UTF8 : new TextDecoder(encoding)).decode(bytes);
}

/** The name of the encoding, as `TextDecoder` knows it, by the first bytes and the Content-Type. */
export function encodingOf(type: string | string[] | undefined, bytes: Uint8Array): string {
  const first = bytes[0];
  const second = bytes[1];
  const third = bytes[2];
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  const charset = charsetOf(type) ?? "utf-8";
  return charset === "utf-8" || charset === "utf8" ? "utf-8" : knownEncoding(charset);
}

// A charset nobody knows is read as what nearly everything is.
function knownEncoding(charset: string): string {
  try {
    return new TextDecoder(charset).encoding;
  } catch {
    return "utf-8";
  }
}

/** What is wrong with a body that cannot be parsed. Shows none of it: the error of the parser would. */
export function jsonProblem(text: string, error: unknown): string {
  const [at = "its end"] = /position \d+/.exec(error instanceof Error ? error.message : "") ?? [];
  return `the body, of ${text.length} characters, is not JSON (at ${at})`;
}
