// The name of a method, checked.

import { badArgument, notSent } from "./checks.ts";
import { HttpError } from "./errors.ts";
import { hasControls } from "./target.ts";

const KNOWN_METHODS = new Set(["GET", "HEAD", "OPTIONS", "DELETE", "POST", "PUT", "PATCH", "TRACE"]);
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Checks a method. Known ones are meant however they are written; others are sent as they are. */
export function methodOf(method: unknown, url: string | URL): string {
  const request = { method: "request", url: String(url) };
  if (typeof method !== "string") throw badArgument(request, "method", method, 'a string like "GET"');
  const upper = method.toUpperCase();
  if (KNOWN_METHODS.has(upper)) return upper;
  if (METHOD.test(method) && !hasControls(method) && upper !== "CONNECT") return method;
  throw notSent(
    new HttpError("MW_ERR_HTTP_INVALID_ARGUMENT", request, "'method' is not the name of a method that can be sent"),
  );
}
