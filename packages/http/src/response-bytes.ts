// What the pieces of a body are together: bytes, or text.

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

/** The text in the bytes, by the charset of a Content-Type, or else UTF-8. */
export function decodeText(bytes: Uint8Array, type: string | string[] | undefined): string {
  const [, charset = "utf-8"] = /;\s*charset="?([\w.:-]+)/i.exec(String(type ?? "")) ?? [];
  return decoderFor(charset.toLowerCase()).decode(bytes);
}

// A charset nobody knows is read as what nearly everything is.
function decoderFor(charset: string): TextDecoder {
  if (charset === "utf-8" || charset === "utf8") return UTF8;
  try {
    return new TextDecoder(charset);
  } catch {
    return UTF8;
  }
}
