// Puts together what options, DSN, service and environment say of a connection, and checks it: once for a pool.

import { userInfo } from "node:os";

import { badArgument, checks } from "./checks.ts";
import type { ConnectOptions, ConnectSettled, PasswordSource, ServerAddress } from "./connect-options.ts";
import { checkParameters, wordOf } from "./connect-parameters.ts";
import { parametersOfService } from "./credential-files.ts";
import { socketPathOf } from "./dial.ts";
import { parseDsn, type Parameters } from "./dsn.ts";
import { parametersOfEnvironment } from "./environment.ts";
import { tlsSettings } from "./tls-options.ts";
import { TypeRegistry } from "./type-registry.ts";

const TARGETS = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"] as const;
const BINDINGS = ["disable", "prefer", "require"] as const;
const DEFAULT_PORT = "5432";

/** Keywords that are for this side; all others are settings of the session, as asyncpg has it. */
const OURS = new Set(
  `host hostaddr port dbname user password passfile service servicefile sslmode sslnegotiation sslcert sslkey sslrootcert sslcrl
  sslpassword sslsni sslcompression sslcrldir sslcertmode ssl_min_protocol_version ssl_max_protocol_version channel_binding
  connect_timeout target_session_attrs load_balance_hosts keepalives keepalives_idle keepalives_interval keepalives_count
  tcp_user_timeout client_encoding gssencmode krbsrvname gsslib gssdelegation require_auth requirepeer min_protocol_version
  max_protocol_version fallback_application_name replication pgbouncer uselibpqcompat sslkeylogfile scram_client_key
  scram_server_key oauth_issuer oauth_client_id oauth_client_secret oauth_scope`.split(/\s+/),
);

/**
 * Everything that is needed to make connections.
 *
 * @param isOwnServer - whether the server is one of our own: of the environment only settings of the session count then
 * @throws {@link PostgresError} `MW_ERR_PG_INVALID_ARGUMENT` or `MW_ERR_PG_INVALID_DSN`
 */
export function settleConnect(given: string | ConnectOptions = {}, isOwnServer = false): ConnectSettled {
  const options = typeof given === "string" ? { dsn: given } : given;
  if (typeof options !== "object" || options === null) throw badArgument("options", options, "an object or a DSN");
  checkOptions(options);
  const parameters = gather(options, isOwnServer);
  checkParameters(parameters);
  const user = options.user ?? parameters["user"] ?? nameOfUser();
  const servers = serversOf(options, parameters);
  const directTls = options.directTls ?? parameters["sslnegotiation"] === "direct";
  const isLocal = servers.every((server) => socketPathOf(server) !== undefined);
  const { sslMode, tls } = tlsSettings(options.ssl, parameters, { isDirect: directTls, isLocal });
  const keepAliveMs =
    options.keepAliveMs ?? (parameters["keepalives"] === "0" ? 0 : seconds(parameters, "keepalives_idle", 60_000));
  return {
    servers,
    user,
    password: options.password ?? parameters["password"],
    passfile: options.passfile ?? parameters["passfile"],
    database: options.database ?? parameters["dbname"] ?? user,
    sslMode,
    tls: parameters["sslsni"] === "0" ? { ...tls, servername: "" } : tls,
    directTls,
    channelBinding: wordOf(BINDINGS, "channel_binding", parameters["channel_binding"] ?? "prefer"),
    connectTimeoutMs: options.connectTimeoutMs ?? (seconds(parameters, "connect_timeout", 10_000) || Infinity),
    cancelTimeoutMs: options.cancelTimeoutMs ?? 1_000,
    startup: startupOf(options, parameters),
    targetSessionAttrs: wordOf(
      TARGETS,
      "target_session_attrs",
      options.targetSessionAttrs ?? parameters["target_session_attrs"] ?? "any",
    ),
    loadBalance: parameters["load_balance_hosts"] === "random",
    statementCacheSize: options.statementCacheSize ?? 100,
    pgBouncer: options.pgBouncer ?? parameters["pgbouncer"] === "true",
    types: new TypeRegistry(options.types),
    keepAliveMs,
  };
}

function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    // The number of the user has no name on this machine.
    return "postgres";
  }
}

function checkOptions(options: ConnectOptions): void {
  for (const key of ["dsn", "user", "database", "applicationName", "passfile", "service"] as const)
    checks.text(key, options[key]);
  for (const key of ["connectTimeoutMs", "statementTimeoutMs", "cancelTimeoutMs"] as const)
    checks.ms(key, options[key]);
  for (const key of ["statementCacheSize", "keepAliveMs"] as const) checks.count(key, options[key], 0);
  for (const key of ["directTls", "pgBouncer"] as const) checks.flag(key, options[key]);
  checks.word("targetSessionAttrs", options.targetSessionAttrs, TARGETS);
  checkPassword(options.password);
  const { serverSettings } = options;
  if (serverSettings === undefined) return;
  if (typeof serverSettings !== "object" || serverSettings === null)
    throw badArgument("serverSettings", serverSettings, "an object");
  for (const [name, value] of Object.entries(serverSettings)) {
    if (name === "" || name.includes("\0"))
      throw badArgument("serverSettings", serverSettings, "names that are not empty and have no NUL character");
    if (typeof value !== "string" || value.includes("\0"))
      throw badArgument(`serverSettings.${name}`, value, "a string without NUL characters");
  }
}

function checkPassword(password: PasswordSource | undefined): void {
  if (password === undefined || typeof password === "string" || typeof password === "function") return;
  throw badArgument("password", password, "a string or a function; is a variable not set?");
}

/** From the least to the most: environment, service, DSN. Options come on top, where they are read. */
function gather(options: ConnectOptions, isOwnServer: boolean): Parameters {
  const environment = parametersOfEnvironment();
  if (isOwnServer) for (const name of Object.keys(environment)) if (OURS.has(name)) delete environment[name];
  const isFree = options.dsn === undefined && options.host === undefined && options.service === undefined;
  const url = isFree ? process.env["DATABASE_URL"] : undefined;
  const dsn = options.dsn ?? (url === "" ? undefined : url);
  const said = dsn === undefined ? {} : parseDsn(dsn);
  const service = options.service ?? said["service"] ?? environment["service"];
  const file = said["servicefile"] ?? environment["servicefile"];
  // A server that was named is not half of one that the environment names.
  if (options.host !== undefined || said["host"] !== undefined) delete environment["hostaddr"];
  return { ...environment, ...(service === undefined ? {} : parametersOfService(service, file)), ...said };
}

function serversOf({ host, port }: ConnectOptions, parameters: Parameters): ServerAddress[] {
  checkList("host", host, (one) => typeof one === "string" && !one.includes("\0"), "a name, or several in an array");
  checkList("port", port, (one) => /^\d*$/.test(String(one)), "an integer from 1 to 65535, or one for each host");
  const named = listOf(host) ?? listOf(parameters["host"]);
  const addresses = host === undefined ? listOf(parameters["hostaddr"]) : undefined;
  const hosts = named ?? addresses ?? ["localhost"];
  const ports = listOf(port) ?? listOf(parameters["port"]) ?? [DEFAULT_PORT];
  if (ports.length !== 1 && ports.length !== hosts.length) {
    throw badArgument("port", ports, `one port for all hosts, or one for each of ${hosts.length}`);
  }
  if (addresses !== undefined && addresses.length !== hosts.length) {
    throw badArgument("hostaddr", addresses, `one address for each of ${hosts.length} hosts`);
  }
  return hosts.map((one, at) => {
    return {
      host: one || "localhost",
      address: addresses?.[at],
      port: portOf(ports.length === 1 ? ports[0] : ports[at]),
    };
  });
}

/** In digits: `0x10` and `1e3` are numbers of JavaScript, and nothing that anybody means by a port. */
function portOf(text: string | undefined): number {
  const value = text === undefined || text === "" ? DEFAULT_PORT : text;
  if (/^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535) return Number(value);
  throw badArgument("port", value, "an integer from 1 to 65535");
}

function checkList(name: string, given: unknown, isGood: (one: unknown) => boolean, wanted: string): void {
  if (given === undefined) return;
  for (const one of Array.isArray(given) ? given : [given]) if (!isGood(one)) throw badArgument(name, one, wanted);
}

function listOf(value: string | number | ReadonlyArray<string | number> | undefined): string[] | undefined {
  if (value === undefined) return undefined;
  const list: ReadonlyArray<string | number> = typeof value === "string" ? value.split(",") : [value].flat();
  if (list.length === 0) throw badArgument("host", list, "at least one");
  return list.map((one) => String(one).trim());
}

/** In whole seconds, as libpq has it; in milliseconds here. */
function seconds(parameters: Parameters, name: string, otherwise: number): number {
  const text = parameters[name];
  if (text === undefined) return otherwise;
  if (!/^\d+$/.test(text)) throw badArgument(name, text, "a number of seconds");
  return Number(text) * 1_000;
}

/** What is sent at login. Times are read in one form only, so `DateStyle` is ours; the order of day and month is not touched. */
function startupOf(options: ConnectOptions, parameters: Parameters): Record<string, string> {
  const startup: Record<string, string> = {};
  for (const [name, value] of Object.entries(parameters)) if (!OURS.has(name)) startup[name] = value;
  startup["application_name"] =
    options.applicationName ?? startup["application_name"] ?? parameters["fallback_application_name"] ?? "meanwhile";
  const { statementTimeoutMs } = options;
  if (statementTimeoutMs !== undefined && statementTimeoutMs !== Infinity)
    startup["statement_timeout"] = String(Math.ceil(statementTimeoutMs));
  Object.assign(startup, options.serverSettings);
  startup["DateStyle"] = "ISO";
  return startup;
}
