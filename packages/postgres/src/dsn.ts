// Both forms of a DSN, read into the keywords of libpq: `postgresql://…`, and `host=… dbname='…'`. It may hold a password, so
// errors quote nothing of it.
//
// @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING

import { PostgresError } from "./errors.ts";

/** Keywords of libpq, and what was said for them. */
export type Parameters = Record<string, string>;

/** @throws {@link PostgresError} `MW_ERR_PG_INVALID_DSN` */
export function parseDsn(dsn: string): Parameters {
  const uri = /^postgres(?:ql)?:\/\//i.exec(dsn);
  if (uri !== null) return refuseNul(parseUri(dsn.slice(uri[0].length)));
  if (dsn.includes("=")) return refuseNul(parsePairs(dsn));
  throw badDsn("it begins with neither postgresql:// nor a pair like host=localhost");
}

function parseUri(text: string): Parameters {
  // There are no fragments: a "#" is a character like any other.
  const [beforeQuery = "", ...queries] = text.split("?");
  const at = endOfUser(beforeQuery);
  const slash = beforeQuery.indexOf("/", at + 1);
  const authority = slash === -1 ? beforeQuery : beforeQuery.slice(0, slash);
  const parameters: Parameters = {};
  if (at !== -1) addUser(parameters, authority.slice(0, at));
  addHosts(parameters, authority.slice(at + 1));
  if (slash !== -1 && slash + 1 < beforeQuery.length) parameters["dbname"] = decode(beforeQuery.slice(slash + 1));
  for (const pair of queries.join("?").split("&")) addPair(parameters, pair);
  return parameters;
}

const HOST = /^(\[[^\]]+\]|[^:]*)(?::(\d*))?$/;

/**
 * Where the "@" behind the user is, -1 if there is no user. A password may have slashes in it, as many that were made by a
 * program have, where what is before the first slash can be no hosts; what can be read in two ways is refused.
 */
function endOfUser(text: string): number {
  const slash = text.indexOf("/");
  if (slash === -1) return text.lastIndexOf("@");
  const authority = text.slice(0, slash);
  const isPlain = authority.includes("@") || authority.split(",").every((one) => HOST.test(one));
  const at = (isPlain ? authority : text).lastIndexOf("@");
  const isDoubtful = isPlain ? /@.*\//.test(text.slice(slash)) : /@.*\//.test(text.slice(0, Math.max(at, 0)));
  if (isDoubtful) throw badDsn("it can be read in two ways; in a name or a password '@' is %40, and '/' is %2F");
  return at;
}

function addUser(parameters: Parameters, userinfo: string): void {
  const colon = userinfo.indexOf(":");
  const user = colon === -1 ? userinfo : userinfo.slice(0, colon);
  if (user !== "") parameters["user"] = decode(user);
  if (colon !== -1) parameters["password"] = decode(userinfo.slice(colon + 1));
}

/** `host:port,[::1]:port`, each part of which may be missing. */
function addHosts(parameters: Parameters, text: string): void {
  if (text === "") return;
  const found = text.split(",").map((one) => HOST.exec(one));
  if (found.includes(null)) throw badDsn("a host must be name, name:port or [address]:port");
  const hosts = found.map((one) => decode(one?.[1]?.replaceAll(/[[\]]/g, "") ?? ""));
  const ports = found.map((one) => one?.[2] ?? "");
  if (hosts.some((host) => host !== "")) parameters["host"] = hosts.join(",");
  if (ports.some((port) => port !== "")) parameters["port"] = ports.join(",");
}

function addPair(parameters: Parameters, pair: string): void {
  if (pair === "") return;
  const end = pair.indexOf("=");
  if (end <= 0) throw badDsn("a parameter behind the '?' must be key=value");
  const key = decode(pair.slice(0, end));
  say(parameters, Object.hasOwn(ALIASES, key) ? (ALIASES[key] ?? key) : key, decode(pair.slice(end + 1)));
}

function say(parameters: Parameters, key: string, value: string): void {
  // As it was called long ago, and libpq still knows it.
  if (key === "requiressl") parameters["sslmode"] = value.startsWith("1") ? "require" : "prefer";
  else parameters[key] = value;
}

/** What drivers of other languages say. */
const ALIASES: Readonly<Record<string, string>> = { database: "dbname", ssl: "sslmode" };

function parsePairs(text: string): Parameters {
  const parameters: Parameters = {};
  const pattern = /\s*([\w.]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/gy;
  let end = 0;
  for (const [found, key = "", quoted, plain = ""] of text.matchAll(pattern)) {
    say(parameters, key, (quoted ?? plain).replaceAll(/\\(.)/gs, "$1"));
    end += found.length;
  }
  if (text.slice(end).trim() !== "")
    throw badDsn("it must be pairs like host=localhost; a value with spaces stands in single quotes");
  return parameters;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badDsn("it has a '%' that is not followed by two hexadecimal digits; a '%' itself is %25");
  }
}

/** It ends a name or a value where it is sent, and what follows would be another one. */
function refuseNul(parameters: Parameters): Parameters {
  const hasNul = Object.entries(parameters)
    .flat()
    .some((text) => text.includes("\0"));
  if (hasNul) throw badDsn("it has a NUL character (%00) in it; leave it out");
  return parameters;
}

function badDsn(what: string): PostgresError {
  return new PostgresError("MW_ERR_PG_INVALID_DSN", `Cannot use the DSN: ${what}`);
}
