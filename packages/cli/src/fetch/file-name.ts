// Makes a safe file name of a URL. Whatever the URL says, the name stays inside its directory, on every system.

import { createHash } from "node:crypto";

const MAX_BYTES = 200;
const FOR_NOTHING = "index";
// Separators, what Windows refuses, controls, and characters that reorder or hide text.
const UNSAFE = /[/\\:*?"<>|\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffd]/gu;
// Devices on Windows, whatever follows the first dot.
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)/i;

/** The last segment of the URL's path, made safe; `index` if there is none. */
export function fileNameOf(url: URL): string {
  const path = url.pathname.replace(/\/+$/, "");
  const segment = path.slice(path.lastIndexOf("/") + 1);
  return safeFileName(decode(segment));
}

/** Any text as one file name: not empty, no separator, no leading dot, at most 200 bytes. */
export function safeFileName(text: string): string {
  const plain = text
    .normalize("NFC")
    .toWellFormed()
    .replaceAll(UNSAFE, "_")
    .replace(/^[.\s]+/, "")
    .replace(/[.\s]+$/, "");
  if (plain === "") return FOR_NOTHING;
  return shorten(DEVICE.test(plain) ? `_${plain}` : plain);
}

/** `name.txt` as `name-1.txt`. */
export function withSuffix(name: string, number: number): string {
  if (number === 0) return name;
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? `${name}-${number}` : `${name.slice(0, dot)}-${number}${name.slice(dot)}`;
}

/** A long name keeps its start and its extension; the hash keeps two long names apart. */
function shorten(name: string): string {
  if (Buffer.byteLength(name) <= MAX_BYTES) return name;
  const extension = /\.[\w-]{1,10}$/.exec(name)?.[0] ?? "";
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 12);
  const room = MAX_BYTES - extension.length - hash.length - 1;
  // Cut at a byte, then drop the character that may have been cut in two.
  const start = Buffer.from(name)
    .subarray(0, room)
    .toString("utf8")
    .replace(/\ufffd+$/, "");
  return `${start}-${hash}${extension}`;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
