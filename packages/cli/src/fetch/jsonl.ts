// A line of a list that is an object of JSON: a URL, and how to request it.

import { CommandError } from "../errors.ts";
import { type Header, parseHeader } from "./headers.ts";
import { shownUrl } from "./record.ts";
import type { TargetRequest } from "./target.ts";

const KEYS = ["url", "id", "method", "headers", "body", "bodyBase64", "json", "out", "checksum"] as const;
const METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] as const;
const MAX_SHORT = 1_000;
const MOST_SHOWN = 40;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const CHECKSUM = /^sha256:([0-9a-f]{64})$/i;
const JSON_TYPE: Header = ["content-type", "application/json"];
const TEXT_TYPE: Header = ["content-type", "text/plain;charset=UTF-8"];

/** What a line says; or, where it cannot be meant, why. */
export type ParsedLine =
  | { readonly url: string; readonly request: TargetRequest; readonly problem?: undefined }
  | { readonly url: string; readonly problem: string };

/** Reads one object of JSON. Never throws: what cannot be meant is a problem of this line alone. */
export function parseJsonLine(text: string): ParsedLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { url: shownLine(text), problem: "this line is not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { url: shownLine(text), problem: "this line is no object of JSON" };
  }
  const object: Readonly<Record<string, unknown>> = { ...value };
  const { url } = object;
  if (typeof url !== "string") return { url: shownLine(text), problem: '"url" is missing, or no text' };
  try {
    return { url, request: requestOf(object) };
  } catch (error) {
    if (error instanceof LineProblem) return { url, problem: error.message };
    throw error;
  }
}

/** What may be shown of a line that cannot be read: its headers and bodies may be secrets. */
function shownLine(text: string): string {
  const [, url] = /"url"\s{0,9}:\s{0,9}"([^"\\]*)"/.exec(text) ?? [];
  if (url !== undefined) return url;
  return /^\s*[{["]/.test(text) ? "{...}" : shownUrl(text).slice(0, MOST_SHOWN);
}

class LineProblem extends Error {}

function requestOf(object: Readonly<Record<string, unknown>>): TargetRequest {
  const unknown = Object.keys(object).find((key) => !KEYS.some((known) => known === key));
  if (unknown !== undefined) {
    throw new LineProblem(`"${unknown.slice(0, 40)}" is no key of a line; there are ${KEYS.join(", ")}`);
  }
  const { body, type } = bodyOf(object);
  const headers = headersOf(object["headers"]);
  const isTyped = type === undefined || headers.some(([name]) => name === "content-type");
  const method = methodOf(object["method"], body !== undefined);
  if (body !== undefined && (method === "GET" || method === "HEAD")) {
    throw new LineProblem(`"method" is ${method}, which sends no body; say POST or PUT`);
  }
  return {
    id: idOf(object["id"]),
    method,
    headers: isTyped ? headers : [...headers, type],
    body,
    out: textOf(object, "out"),
    checksum: checksumOf(textOf(object, "checksum")),
  };
}

function idOf(id: unknown): string | undefined {
  if (typeof id === "number" && Number.isFinite(id)) return String(id);
  return textOf({ id }, "id");
}

function textOf(object: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = object[key];
  if (value === undefined) return undefined;
  if (typeof value === "string" && value !== "" && value.length <= MAX_SHORT) return value;
  throw new LineProblem(`"${key}" is no text of 1 to ${MAX_SHORT} characters`);
}

function methodOf(method: unknown, hasBody: boolean): string | undefined {
  if (method === undefined) return hasBody ? "POST" : undefined;
  const known = METHODS.find((name) => typeof method === "string" && name === method.toUpperCase());
  if (known === undefined) throw new LineProblem(`"method" is none of ${METHODS.join(", ")}`);
  return known;
}

function headersOf(headers: unknown): Header[] {
  if (headers === undefined) return [];
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) {
    throw new LineProblem('"headers" is no object of names and values');
  }
  return Object.entries(headers).map(([name, value]) => {
    if (typeof value !== "string") throw new LineProblem(`the header "${name}" is no text`);
    return headerOf(name, value);
  });
}

function headerOf(name: string, value: string): Header {
  if (name.includes(":")) throw new LineProblem(`the header "${name}" has no name of a header`);
  try {
    return parseHeader(`${name}: ${value}`);
  } catch (error) {
    if (error instanceof CommandError) throw new LineProblem(error.message.replace(/^-H /, "the header "));
    throw error;
  }
}

interface LineBody {
  readonly body?: Uint8Array;
  readonly type?: Header;
}

function bodyOf({ body, bodyBase64, json }: Readonly<Record<string, unknown>>): LineBody {
  const given = [body, bodyBase64, json].filter((value) => value !== undefined);
  if (given.length > 1) throw new LineProblem('only one of "body", "bodyBase64" and "json" can be sent');
  if (json !== undefined) return { body: Buffer.from(JSON.stringify(json)), type: JSON_TYPE };
  if (body !== undefined) {
    if (typeof body !== "string") throw new LineProblem('"body" is no text; use "json" or "bodyBase64" for the rest');
    return { body: Buffer.from(body), type: TEXT_TYPE };
  }
  if (bodyBase64 === undefined) return {};
  if (typeof bodyBase64 !== "string" || bodyBase64.length % 4 !== 0 || !BASE64.test(bodyBase64)) {
    throw new LineProblem('"bodyBase64" is no base64');
  }
  return { body: Buffer.from(bodyBase64, "base64") };
}

function checksumOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const [, hex] = CHECKSUM.exec(text) ?? [];
  if (hex === undefined) throw new LineProblem('"checksum" is not sha256: and 64 hex digits');
  return hex.toLowerCase();
}
