// Header fields between the flat form of the courier, the objects of node:http2 and the form all answers have.

import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";

import type { RawHeaders } from "./exchange-plan.ts";

/** Limits of header fields. */
export interface HeaderLimits {
  readonly maxHeaderBytes: number;
  readonly maxHeaderCount: number;
}

/** What goes around each field in HTTP/1.1, so that the same limit means the same. */
const FIELD_EXTRA_BYTES = 4;
const AUTHORITY = ":authority";

/** What is asked, apart from the fields. */
export interface RequestHead {
  readonly method: string;
  readonly path: string;
  /** Host and port of the URL. */
  readonly authority: string;
}

/** The head of a request. A field `host` says what the server is asked as. */
export function requestFields(flat: readonly string[], { method, path, authority }: RequestHead): OutgoingHttpHeaders {
  const fields = new Map<string, string | string[]>([
    [":method", method],
    [":scheme", "https"],
    [AUTHORITY, authority],
    [":path", path],
  ]);
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const name = flat[index] ?? "";
    const value = flat[index + 1] ?? "";
    if (name === "host") fields.set(AUTHORITY, value);
    else fields.set(name, joined(fields.get(name), value));
  }
  return Object.fromEntries(fields);
}

/** The fields of an answer, without the pseudo fields. Values of one name are a list, as they are in HTTP/1.1. */
export function answerFields(raw: readonly string[]): RawHeaders {
  const fields = new Map<string, string | string[]>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? "").toLowerCase();
    if (name.startsWith(":")) continue;
    fields.set(name, joined(fields.get(name), raw[index + 1] ?? ""));
  }
  return Object.fromEntries(fields);
}

/** Whether an answer has more, or longer, header fields than allowed. */
export function isFlood(raw: readonly string[], { maxHeaderBytes, maxHeaderCount }: HeaderLimits): boolean {
  let count = 0;
  let bytes = 0;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (name.startsWith(":")) continue;
    count += 1;
    bytes += name.length + (raw[index + 1] ?? "").length + FIELD_EXTRA_BYTES;
  }
  return count > maxHeaderCount || bytes > maxHeaderBytes;
}

/** The status in the head of an answer. */
export function statusOf(headers: IncomingHttpHeaders): number {
  return Number(headers[":status"]);
}

function joined(before: string | string[] | undefined, value: string): string | string[] {
  if (before === undefined) return value;
  if (typeof before === "string") return [before, value];
  before.push(value);
  return before;
}
