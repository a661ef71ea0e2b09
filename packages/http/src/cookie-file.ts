// Where a jar is kept between two runs of a program.

import { cancellable, shield } from "meanwhile";

import { badArgument } from "./checks.ts";
import type { CookieJarJson } from "./cookie-json.ts";
import { HttpError, type RequestLine } from "./errors.ts";
import { readPrivateFile, Unusable, writePrivateFile } from "./private-file.ts";

const RULES = { maxBytes: 64 * 1024 * 1024, ownerOnly: false, followsLinks: false };

/** The JSON in the file, not looked at yet; null if there is no file. */
export async function readCookieFile(path: string): Promise<{ readonly json: unknown } | null> {
  const request = requestOf("load", path);
  const text = await cancellable(readPrivateFile(path, RULES)).catch((error) => failed(error, request));
  return text === null ? null : { json: parsed(text) };
}

export async function writeCookieFile(path: string, json: CookieJarJson): Promise<void> {
  const request = requestOf("save", path);
  await shield(() => writePrivateFile(path, `${JSON.stringify(json)}\n`)).catch((error) => failed(error, request));
}

/** The error for a file whose content cannot be used. */
export function damaged(path: string, flaw: string): HttpError {
  return new HttpError("MW_ERR_HTTP_COOKIE_FILE", requestOf("load", path), flaw);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not as the cause of an error: the parser quotes what it read. Undefined is no jar either.
    return undefined;
  }
}

function requestOf(what: string, path: unknown): RequestLine {
  const request = { method: `${what} the cookie file`, url: String(path) };
  if (typeof path !== "string" || path === "") throw badArgument(request, "path", path, "the path of a file");
  return request;
}

function failed(error: unknown, request: RequestLine): never {
  if (!(error instanceof Unusable)) throw error;
  throw new HttpError("MW_ERR_HTTP_COOKIE_FILE", request, error.message, { cause: error.cause });
}
