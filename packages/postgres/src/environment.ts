// The variables of the environment that libpq reads, as its keywords.
//
// @see https://www.postgresql.org/docs/current/libpq-envars.html

import type { Parameters } from "./dsn.ts";

const KEYWORDS: Readonly<Record<string, string>> = {
  PGHOST: "host",
  PGHOSTADDR: "hostaddr",
  PGPORT: "port",
  PGDATABASE: "dbname",
  PGUSER: "user",
  PGPASSWORD: "password",
  PGPASSFILE: "passfile",
  PGSERVICE: "service",
  PGSERVICEFILE: "servicefile",
  PGOPTIONS: "options",
  PGAPPNAME: "application_name",
  PGSSLMODE: "sslmode",
  PGSSLNEGOTIATION: "sslnegotiation",
  PGSSLCERT: "sslcert",
  PGSSLKEY: "sslkey",
  PGSSLROOTCERT: "sslrootcert",
  PGSSLCRL: "sslcrl",
  PGSSLCRLDIR: "sslcrldir",
  PGSSLCERTMODE: "sslcertmode",
  PGSSLSNI: "sslsni",
  PGSSLMINPROTOCOLVERSION: "ssl_min_protocol_version",
  PGSSLMAXPROTOCOLVERSION: "ssl_max_protocol_version",
  PGCHANNELBINDING: "channel_binding",
  PGREQUIREAUTH: "require_auth",
  PGREQUIREPEER: "requirepeer",
  PGGSSENCMODE: "gssencmode",
  PGMINPROTOCOLVERSION: "min_protocol_version",
  PGCONNECT_TIMEOUT: "connect_timeout",
  PGTARGETSESSIONATTRS: "target_session_attrs",
  PGLOADBALANCEHOSTS: "load_balance_hosts",
  PGTZ: "TimeZone",
  PGGEQO: "geqo",
};

type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says. An empty variable says nothing. */
export function parametersOfEnvironment(environment: Environment = process.env): Parameters {
  const parameters: Parameters = {};
  for (const [variable, keyword] of Object.entries(KEYWORDS)) {
    const value = environment[variable];
    if (value !== undefined && value !== "") parameters[keyword] = value;
  }
  // As it was called long ago, and libpq still reads it.
  if (environment["PGREQUIRESSL"]?.startsWith("1") === true) parameters["sslmode"] ??= "require";
  return parameters;
}

const NAMING = ["DATABASE_URL", "PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE", "PGDATABASE", "PGUSER", "PGPASSWORD"];

/**
 * Whether the environment says that there is a server: where it is, or who to be there. Who names a database or a user means
 * the server that libpq would go to, and not one that is thrown away.
 */
export function environmentNamesServer(environment: Environment = process.env): boolean {
  return NAMING.some((name) => (environment[name] ?? "") !== "");
}
