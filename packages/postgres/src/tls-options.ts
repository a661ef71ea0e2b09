// From the modes and files of libpq to the options of `tls.connect`.

import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ConnectionOptions, SecureVersion } from "node:tls";

import { badArgument } from "./checks.ts";
import type { SslMode } from "./connect-options.ts";
import type { Parameters } from "./dsn.ts";
import { PostgresError } from "./errors.ts";

/** A mode, and what it means for TLS. */
export interface TlsSettings {
  readonly sslMode: SslMode;
  readonly tls: ConnectionOptions;
}

const MODES: ReadonlyArray<SslMode> = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
/** What other drivers say. */
const ALIASES: Readonly<Record<string, SslMode>> = { true: "require", false: "disable", "no-verify": "require" };
const VERSIONS: ReadonlyArray<SecureVersion> = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

/** Those that settle for less when the server, or somebody on the way, says no. */
const WEAK: ReadonlyArray<SslMode> = ["disable", "allow", "prefer"];
/** What `sslrootcert` says for the certificates that everybody trusts: anybody can have one of these, for a name of his. */
const SYSTEM = "system";

/** What else counts for how TLS must be. */
interface Reach {
  /** Whether TLS begins without asking the server. */
  readonly isDirect: boolean;
  /** Whether all servers are reached over Unix sockets, where TLS is not spoken. */
  readonly isLocal: boolean;
}

/**
 * @param option - what was given as `ssl`
 * @throws {@link PostgresError} `MW_ERR_PG_INVALID_ARGUMENT`
 */
export function tlsSettings(
  option: SslMode | ConnectionOptions | undefined,
  parameters: Parameters,
  reach: Reach,
): TlsSettings {
  // Whoever gives options of TLS wants it, and wants the server to prove who it is, unless they say otherwise.
  if (typeof option === "object" && option !== null) return { sslMode: "verify-full", tls: { ...option } };
  const otherwise = parameters["sslrootcert"] === SYSTEM ? "verify-full" : "prefer";
  const word: unknown = option === undefined ? (parameters["sslmode"] ?? otherwise) : option;
  const sslMode = typeof word === "string" ? modeOf(word) : undefined;
  if (sslMode === undefined) throw badArgument("ssl", word, `one of ${MODES.join(", ")}, or options of tls.connect`);
  checkStrength(sslMode, parameters, reach);
  if (sslMode === "disable") return { sslMode, tls: {} };
  return { sslMode, tls: { ...filesOf(parameters), ...versionsOf(parameters), ...checksOf(sslMode, parameters) } };
}

function modeOf(word: string): SslMode | undefined {
  return MODES.find((mode) => mode === word) ?? (Object.hasOwn(ALIASES, word) ? ALIASES[word] : undefined);
}

/** Refuses a mode that takes back what something else asks for, as libpq does. */
function checkStrength(mode: SslMode, parameters: Parameters, { isDirect, isLocal }: Reach): void {
  if (isDirect && WEAK.includes(mode)) {
    throw weakMode(
      mode,
      "TLS is to begin at once, which would be left out silently",
      "require, verify-ca or verify-full",
    );
  }
  if (parameters["sslrootcert"] === SYSTEM && mode !== "verify-full") {
    throw weakMode(mode, "'sslrootcert' is \"system\", and anybody has a certificate of these", "verify-full");
  }
  if (mode === "verify-ca" && !isLocal && rootOf(parameters) === undefined) {
    throw weakMode(mode, "there is no root certificate to check with", "verify-full, or name one with 'sslrootcert'");
  }
}

function weakMode(mode: SslMode, why: string, wanted: string): PostgresError {
  return new PostgresError("MW_ERR_PG_INVALID_ARGUMENT", `Cannot use 'ssl' as "${mode}": ${why}; pass ${wanted}`);
}

/** Who must prove what. As libpq has it, `require` with a root certificate is `verify-ca`. */
function checksOf(mode: SslMode, parameters: Parameters): ConnectionOptions {
  if (mode === "verify-full") return { rejectUnauthorized: true };
  const isChecked = mode === "verify-ca" || (mode === "require" && rootOf(parameters) !== undefined);
  return isChecked ? { rejectUnauthorized: true, checkServerIdentity: () => undefined } : { rejectUnauthorized: false };
}

/** The file with the root certificates; undefined for those that Node trusts. */
function rootOf({ sslrootcert }: Parameters): string | undefined {
  return sslrootcert === SYSTEM ? undefined : (sslrootcert ?? ifThere("root.crt"));
}

function filesOf(parameters: Parameters): ConnectionOptions {
  const { sslcert, sslkey, sslcrl, sslpassword } = parameters;
  const root = rootOf(parameters);
  const hasCert = parameters["sslcertmode"] !== "disable";
  const cert = hasCert ? (sslcert ?? ifThere("postgresql.crt")) : undefined;
  const key = hasCert ? (sslkey ?? (cert === undefined ? undefined : ifThere("postgresql.key"))) : undefined;
  const crl = sslcrl ?? ifThere("root.crl");
  return {
    ...(root === undefined ? {} : { ca: read("sslrootcert", root) }),
    ...(cert === undefined ? {} : { cert: read("sslcert", cert) }),
    ...(key === undefined ? {} : { key: read("sslkey", key) }),
    ...(crl === undefined ? {} : { crl: read("sslcrl", crl) }),
    ...(sslpassword === undefined ? {} : { passphrase: sslpassword }),
  };
}

function versionsOf(parameters: Parameters): ConnectionOptions {
  const { ssl_min_protocol_version: least, ssl_max_protocol_version: most } = parameters;
  return {
    ...(least === undefined ? {} : { minVersion: versionOf("ssl_min_protocol_version", least) }),
    ...(most === undefined ? {} : { maxVersion: versionOf("ssl_max_protocol_version", most) }),
  };
}

function versionOf(name: string, value: string): SecureVersion {
  const version = VERSIONS.find((one) => one.toLowerCase() === value.toLowerCase());
  if (version === undefined) throw badArgument(name, value, `one of ${VERSIONS.join(", ")}`);
  return version;
}

function read(name: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new PostgresError("MW_ERR_PG_INVALID_ARGUMENT", `Cannot use '${name}': the file ${path} cannot be read`, {
      cause,
    });
  }
}

/** A file where libpq looks for it. */
function ifThere(name: string): string | undefined {
  const path = join(homedir(), ".postgresql", name);
  return existsSync(path) ? path : undefined;
}
