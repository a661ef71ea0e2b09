// `--dry-run` and `--curl`: says what would be requested, and requests nothing.

import { escapeControls } from "../output/escape.ts";
import type { FetchOptions } from "./options.ts";
import { shownUrl } from "./record.ts";
import type { Target } from "./target.ts";

/** What would be requested: method and URL, and the headers and the size of the body if there are any. */
export function renderPlan({ text, request }: Target, { plan }: FetchOptions): string {
  const names = headersOf(request.headers, plan.shownHeaders).map(([name]) => name);
  const body = request.body ?? (plan.shownBody === undefined ? undefined : Buffer.from(plan.shownBody));
  const parts = [
    request.method ?? plan.method,
    shownUrl(text),
    ...(names.length === 0 ? [] : [`headers: ${names.join(", ")}`]),
    ...(body === undefined ? [] : [`body: ${body.length} bytes`]),
  ];
  return `${escapeControls(parts.join("  "))}\n`;
}

/** A command of curl that requests the same. Secrets are the variables of the environment they come from. */
export function renderCurl({ text, request }: Target, { plan, connectMs, timeoutMs }: FetchOptions): string {
  const method = request.method ?? plan.method;
  const body = request.body === undefined ? plan.shownBody : Buffer.from(request.body).toString("utf8");
  const quote = (word: string): string => quoteWord(word, (name) => plan.secrets.has(name));
  const words = [
    "curl -sSL --globoff --compressed",
    ...methodWords(method, body !== undefined).map(quote),
    ...headersOf(request.headers, plan.shownHeaders).flatMap(([name, value]) => ["-H", headerWord(name, value, quote)]),
    ...(body === undefined ? [] : ["--data-raw", quote(body)]),
    ...(Number.isFinite(connectMs) ? [`--connect-timeout ${connectMs / 1_000}`] : []),
    ...(timeoutMs !== undefined && Number.isFinite(timeoutMs) ? [`--max-time ${timeoutMs / 1_000}`] : []),
    quote(shownUrl(text)),
  ];
  return `${words.join(" ")}\n`;
}

function methodWords(method: string, hasBody: boolean): string[] {
  if (method === "HEAD") return ["-I"];
  return method === (hasBody ? "POST" : "GET") ? [] : ["-X", method];
}

function headerWord(name: string, value: string, quote: (word: string) => string): string {
  // Of --user and --token-file only this is shown.
  if (value === HIDDEN_AUTHORIZATION) return `"${name}: ${value}"`;
  return quote(`${name}: ${value}`);
}

/** Stands for credentials whose text is not shown. */
export const HIDDEN_AUTHORIZATION = "$AUTHORIZATION";

type Headers = ReadonlyArray<readonly [name: string, value: string]>;

function headersOf(own: Headers | undefined, usual: Headers): Headers {
  const named = new Set(own?.map(([name]) => name));
  return [...usual.filter(([name]) => !named.has(name)), ...(own ?? [])];
}

/** One word of a shell: in single quotes, with `{{NAME}}` of a secret as "$NAME" between them. */
function quoteWord(word: string, isSecret: (name: string) => boolean): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  const pieces = word.split(/(\{\{\w+\}\})/).filter((piece) => piece !== "");
  return pieces
    .map((piece) => {
      const name = piece.slice(2, -2);
      return piece.startsWith("{{") && isSecret(name) ? `"$${name}"` : quoteText(piece);
    })
    .join("");
}

/** With control characters as escapes: the line is one line, and does nothing to a terminal. */
function quoteText(text: string): string {
  const escaped = text.replaceAll(/[\\']/g, String.raw`\$&`);
  const controls = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
  if (!controls.test(text)) return `'${text.replaceAll("'", String.raw`'\''`)}'`;
  return `$'${escaped.replaceAll(controls, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`)}'`;
}
