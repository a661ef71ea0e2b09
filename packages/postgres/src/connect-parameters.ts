// Checks the keywords of libpq that are no options here. What would make a connection safer and is not done here is refused:
// to leave it out silently would be worse than to have no connection.

import { badArgument } from "./checks.ts";
import type { Parameters } from "./dsn.ts";
import { PostgresError } from "./errors.ts";

/** The words that a keyword takes. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  sslnegotiation: ["postgres", "direct"],
  load_balance_hosts: ["disable", "random"],
  keepalives: ["0", "1"],
  sslsni: ["0", "1"],
  pgbouncer: ["true", "false"],
};

/** What is not done here: with the words that ask for nothing, and what to do instead. */
const REFUSED: ReadonlyArray<readonly [name: string, harmless: readonly string[], advice: string]> = [
  ["require_auth", [""], "leave it out; 'channel_binding=require' accepts nothing but SCRAM over TLS"],
  ["requirepeer", [""], "leave it out, and use a directory for the socket that others cannot write to"],
  ["sslcrldir", [""], "put the lists into one file and name it with 'sslcrl'"],
  ["gssencmode", ["", "disable", "prefer"], "leave it out, and use TLS with 'sslmode'"],
  ["sslcertmode", ["", "disable", "allow"], "use 'allow' or 'disable'"],
  ["min_protocol_version", ["", "3.0"], "leave it out: version 3.0 is spoken"],
  ["sslkeylogfile", [""], "leave it out; 'NODE_OPTIONS=--tls-keylog=file' does the same for all connections"],
  ["scram_client_key", [""], "leave it out, and use a password"],
  ["scram_server_key", [""], "leave it out, and use a password"],
  ["oauth_issuer", [""], "leave it out: there is no OAuth"],
  ["oauth_client_id", [""], "leave it out: there is no OAuth"],
  ["oauth_client_secret", [""], "leave it out: there is no OAuth"],
  ["oauth_scope", [""], "leave it out: there is no OAuth"],
  ["replication", ["", "false", "off", "no", "0"], "leave it out: there is no replication"],
];

/** @throws {@link PostgresError} `MW_ERR_PG_INVALID_ARGUMENT` */
export function checkParameters(parameters: Parameters): void {
  for (const [name, value] of Object.entries(parameters)) {
    if (`${name}${value}`.includes("\0"))
      throw badArgument(name.replaceAll("\0", ""), value, "a text without NUL characters");
  }
  for (const [name, words] of Object.entries(WORDS)) {
    const value = parameters[name];
    if (value !== undefined && value !== "") wordOf(words, name, value);
  }
  for (const [name, harmless, advice] of REFUSED) {
    if (harmless.includes(parameters[name] ?? "")) continue;
    const what = `Cannot use '${name}': what was set for it is not done here; ${advice}`;
    throw new PostgresError("MW_ERR_PG_INVALID_ARGUMENT", what);
  }
}

/** One of several words. */
export function wordOf<W extends string>(words: ReadonlyArray<W>, name: string, value: string): W {
  const word = words.find((one) => one === value);
  if (word === undefined) throw badArgument(name, value, `one of ${words.join(", ")}`);
  return word;
}
