// Makes a safe file name of any text. Whatever it says, the name stays inside its directory, on every system.

import { createHash } from "node:crypto";

const MAX_BYTES = 200;
const FOR_NOTHING = "index";
// Separators, what Windows refuses, controls, and characters that reorder or hide text.
const UNSAFE = /[/\\:*?"<>|\p{Cc}\p{Cf}\p{Zl}\p{Zp}\ufffd]/gu;
// Devices on Windows, whatever follows the first dot.
const DEVICE = /^(con|prn|aux|nul|clock\$|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?=\s*(\.|$))/i;

/**
 * Any text as one file name: not empty, no separator, no leading dot, no name of a Windows device, NFC, at most 200 bytes.
 * Separators become `_`: what has a path to be dropped is to be cut before.
 *
 * @example
 * ```ts
 * import { safeFileName } from "@meanwhile/http";
 *
 * console.log(safeFileName("../../etc/passwd"), safeFileName("aux.txt")); //> _.._etc_passwd _aux.txt
 * ```
 */
export function safeFileName(text: string): string {
  const plain = withoutEdges(text.normalize("NFC").toWellFormed().replaceAll(UNSAFE, "_"));
  if (plain === "") return FOR_NOTHING;
  return shortened(DEVICE.test(plain) ? `_${plain}` : plain);
}

/** Without dots and blanks at both ends. Not by a pattern: one for the end would look from each blank anew. */
function withoutEdges(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isEdge(text.charAt(start))) start += 1;
  while (end > start && isEdge(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isEdge(character: string): boolean {
  return character === "." || character.trim() === "";
}

/** A long name keeps its start and its extension; the hash keeps two long names apart. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= MAX_BYTES) return name;
  const extension = /\.[\w-]{1,10}$/.exec(name.slice(-11))?.[0] ?? "";
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 12);
  const room = MAX_BYTES - extension.length - hash.length - 1;
  // Cut at a byte, then drop the character that may have been cut in two.
  const start = Buffer.from(name)
    .subarray(0, room)
    .toString("utf8")
    .replace(/\ufffd{1,3}$/, "");
  return `${start}-${hash}${extension}`;
}
