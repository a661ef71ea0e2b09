// The header Content-Disposition: how the server wants a body to be saved. What it says is a proposal of a stranger.

import { safeFileName } from "./file-name.ts";
import { readParameters } from "./header-parameters.ts";

/**
 * A parsed `Content-Disposition`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6266}
 */
export interface ContentDisposition {
  /** `attachment`, `inline` or another word, in lower case. */
  readonly type: string;
  /**
   * The name the server proposes, made safe for every system: one segment without separators, controls, characters that
   * reorder text, leading dots and names of devices, at most 200 bytes. Undefined if it proposes none.
   */
  readonly fileName: string | undefined;
  /** The parameters as they came, by lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Parses the header; undefined if there is none. Of `filename*` and `filename` the first can be trusted to be decoded. */
export function parseContentDisposition(header: string | string[] | undefined): ContentDisposition | undefined {
  const value = typeof header === "string" ? header : header?.[0];
  if (value === undefined) return undefined;
  const end = value.indexOf(";");
  const type = (end === -1 ? value : value.slice(0, end)).trim().toLowerCase();
  const { parameters } = readParameters(value, end === -1 ? value.length : end);
  const proposed = decodeExtended(parameters.get("filename*")) ?? decodePlain(parameters.get("filename"));
  const name = proposed === undefined ? "" : lastSegment(proposed);
  return { type, fileName: name === "" ? undefined : safeFileName(name), parameters };
}

/** `UTF-8'en'na%C3%AFve.txt`, by RFC 8187; undefined if it is not that. */
function decodeExtended(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const afterCharset = value.indexOf("'");
  const afterLanguage = value.indexOf("'", afterCharset + 1);
  if (afterCharset === -1 || afterLanguage === -1) return undefined;
  const charset = value.slice(0, afterCharset).toLowerCase();
  if (charset !== "utf-8" && charset !== "iso-8859-1") return undefined;
  const bytes = unescaped(value.slice(afterLanguage + 1));
  if (bytes === undefined) return undefined;
  return charset === "utf-8" ? decodeUtf8(bytes) : bytes.toString("latin1");
}

// The values of header fields come as one character for each byte.
function decodePlain(value: string | undefined): string | undefined {
  return value === undefined ? undefined : (decodeUtf8(Buffer.from(value, "latin1")) ?? value);
}

function unescaped(text: string): Buffer | undefined {
  const bytes = Buffer.alloc(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    let code = text.charCodeAt(at);
    if (code > 0xff) return undefined;
    if (code === 0x25) {
      const digits = text.slice(at + 1, at + 3);
      if (!/^[0-9a-f]{2}$/i.test(digits)) return undefined;
      code = Number.parseInt(digits, 16);
      at += 2;
    }
    bytes[length] = code;
    length += 1;
  }
  return bytes.subarray(0, length);
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Some servers send the path on their own disk. */
function lastSegment(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}
