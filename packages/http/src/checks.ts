// What every check of an argument uses. Nothing has been sent yet when one of these throws.

import { HttpError, type RequestLine } from "./errors.ts";

/** Where a wrong option stands before there is a request. */
export const SESSION: RequestLine = { method: "make a", url: "ClientSession" };

/** The error for an argument that cannot be used. Nothing was sent. */
export function badArgument(request: RequestLine, name: string, value: unknown, wanted: string): HttpError {
  return notSent(new HttpError("MW_ERR_HTTP_INVALID_ARGUMENT", request, `'${name}' is ${show(value)}; pass ${wanted}`));
}

/** Marks an error as one of a request that was never tried. */
export function notSent<E extends HttpError>(error: E): E {
  return Object.assign(error, { attempts: 0 });
}

/** Milliseconds above 0; `Infinity` means no limit. */
export function checkMs(request: RequestLine, name: string, value: number | undefined): void {
  if (value === undefined || (typeof value === "number" && value > 0)) return;
  throw badArgument(request, name, value, "milliseconds > 0, or Infinity for no limit");
}

/** A whole number, or `Infinity`. */
export function checkCount(request: RequestLine, name: string, value: number | undefined, least: number): void {
  if (value === undefined || value === Infinity || (Number.isInteger(value) && value >= least)) return;
  throw badArgument(request, name, value, `an integer >= ${least}, or Infinity for no limit`);
}

export function checkFlag(request: RequestLine, name: string, value: unknown): void {
  if (value === undefined || typeof value === "boolean") return;
  throw badArgument(request, name, value, "true or false");
}

/** Names the kind of a value, and never its content, which may be secret. */
function show(value: unknown): string {
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
