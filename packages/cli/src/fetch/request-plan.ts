// What every request has, as the command line says it: method, headers, body, and who is asking.

import { Secret } from "@meanwhile/http";

import { usageError } from "../errors.ts";
import { checkHeaderValue, type Header, isSecretHeader, readHeaders, readSmallFile } from "./headers.ts";
import type { Values } from "./read-options.ts";
import { Secrets } from "./secrets.ts";

export interface RequestPlan {
  readonly method: string;
  /** With {@link Secret} where the value must not be seen. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string | Secret]>;
  /** The same with the places of the secrets. */
  readonly shownHeaders: readonly Header[];
  readonly body: string | undefined;
  readonly shownBody: string | undefined;
  readonly secrets: Secrets;
  /** Whether a secret was given where everybody on the machine can read it. */
  readonly isExposed: boolean;
}

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}$/;
const PASSWORD_VARIABLE = "MEANWHILE_PASSWORD";

/** @throws {@link CommandError} with exit code 2, or with 3 for a file that cannot be read */
export function readRequestPlan(values: Values, env: NodeJS.ProcessEnv): RequestPlan {
  const secrets = new Secrets(values.secret ?? [], env);
  const given = (values.header ?? []).flatMap(readHeaders);
  const body = readBody(values);
  const typed = values.json === undefined || hasHeader(given, "content-type") ? [] : [JSON_TYPE];
  const hidden = readCredentials(values, env);
  if (hidden !== undefined && hasHeader(given, "authorization")) {
    throw usageError("use only one of -H authorization, --user and --token-file");
  }
  const shown = [...given, ...typed];
  return {
    method: readMethod(values),
    headers: [...shown.map((header) => checked(header, secrets)), ...(hidden === undefined ? [] : [hidden])],
    shownHeaders: [...shown, ...(hidden === undefined ? [] : [HIDDEN])],
    body: body === undefined ? undefined : secrets.fill(body),
    shownBody: body,
    secrets,
    isExposed: isExposed(values, secrets),
  };
}

const JSON_TYPE: Header = ["content-type", "application/json"];
const HIDDEN: Header = ["authorization", "$AUTHORIZATION"];

function readMethod({ request, data, json }: Values): string {
  if (request === undefined) return data === undefined && json === undefined ? "GET" : "POST";
  if (!METHOD.test(request)) throw usageError(`-X "${request}" is no name of a method`);
  const method = request.toUpperCase();
  if (method === "CONNECT") throw usageError('-X "CONNECT" cannot be used: it belongs to the connection');
  return method;
}

function readBody({ data, json }: Values): string | undefined {
  if (data !== undefined && json !== undefined) throw usageError("use either --data or --json, not both");
  const text = data ?? json;
  const body = text?.startsWith("@") === true ? readSmallFile(text.slice(1)) : text;
  if (json !== undefined && body !== undefined && !isJson(body)) throw usageError("--json is not JSON");
  return body;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function readCredentials(values: Values, env: NodeJS.ProcessEnv): readonly [string, Secret] | undefined {
  const { user, "token-file": path } = values;
  if (user !== undefined && path !== undefined) throw usageError("use either --user or --token-file, not both");
  if (path !== undefined) {
    const [token = ""] = readSmallFile(path).split(/\r?\n/, 1);
    if (token.trim() === "") throw usageError(`--token-file "${path}" has no token in its first line`);
    return authorization(`Bearer ${token.trim()}`);
  }
  if (user === undefined) return undefined;
  const pair = user.includes(":") ? user : `${user}:${passwordOf(env)}`;
  return authorization(`Basic ${Buffer.from(pair).toString("base64")}`);
}

function authorization(value: string): readonly [string, Secret] {
  checkHeaderValue("authorization", value);
  return ["authorization", new Secret(value)];
}

function passwordOf(env: NodeJS.ProcessEnv): string {
  const password = env[PASSWORD_VARIABLE];
  if (password !== undefined) return password;
  throw usageError(`--user without a password needs the environment variable ${PASSWORD_VARIABLE}`);
}

/** A header with the secrets in their places; what a header cannot have is not refused here. */
export function filled([name, value]: Header, secrets: Secrets): readonly [string, string | Secret] {
  const text = secrets.fill(value);
  return [name, text === value ? value : new Secret(text)];
}

function checked([name, value]: Header, secrets: Secrets): readonly [string, string | Secret] {
  checkHeaderValue(name, secrets.fill(value));
  return filled([name, value], secrets);
}

function hasHeader(headers: readonly Header[], name: string): boolean {
  return headers.some(([known]) => known === name);
}

/** Everybody on the machine can list the arguments of a process. */
function isExposed({ user, header = [] }: Values, secrets: Secrets): boolean {
  if (user?.includes(":") === true) return true;
  return header.some((text) => {
    if (text.startsWith("@")) return false;
    const [name = ""] = text.split(":", 1);
    return isSecretHeader([name.trim().toLowerCase(), ""]) && !secrets.isIn(text);
  });
}
