// What kind of body it is, as its head says: Content-Type and Content-Length.

import { readParameters } from "./header-parameters.ts";

type RawValue = string | string[] | undefined;

/** The media type of a `Content-Type`, in lower case and without parameters; undefined if there is none. */
export function mediaTypeOf(header: RawValue): string | undefined {
  const value = firstOf(header);
  const type = value.slice(0, endOfType(value)).trim().toLowerCase();
  return type === "" ? undefined : type;
}

/** The charset a `Content-Type` names, in lower case. */
export function charsetOf(header: RawValue): string | undefined {
  const value = firstOf(header);
  const end = endOfType(value);
  if (end === value.length) return undefined;
  const charset = readParameters(value, end).parameters.get("charset")?.toLowerCase();
  return charset === "" ? undefined : charset;
}

/** Whether it is JSON by its type: `application/json`, or one that ends in `+json`. */
export function isJson(header: RawValue): boolean {
  const type = mediaTypeOf(header) ?? "";
  return type === "application/json" || type === "text/json" || type.endsWith("+json");
}

/** The length of a body as it was announced; undefined if it was not, or not as a number. */
export function contentLengthOf(header: RawValue): number | undefined {
  const value = firstOf(header).trim();
  const length = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(length) ? length : undefined;
}

function firstOf(header: RawValue): string {
  return (typeof header === "string" ? header : header?.[0]) ?? "";
}

function endOfType(value: string): number {
  const end = value.indexOf(";");
  return end === -1 ? value.length : end;
}
