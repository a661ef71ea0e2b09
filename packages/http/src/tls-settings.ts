// Checks what the option `tls` says, before anything is sent.

import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";

import { badArgument, checkFlag, notSent, SESSION } from "./checks.ts";
import { HttpError } from "./errors.ts";
import { Secret } from "./secret.ts";
import type { TlsOptions, TlsSettings } from "./tls.ts";

const VERSIONS = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
const CONTEXT_KEYS = ["ca", "cert", "key", "pfx", "passphrase", "minVersion", "maxVersion", "ciphers"] as const;

/**
 * Checks and prepares the options. Certificates and keys are parsed here, once.
 *
 * @param name - the option, for errors
 * @param protocols - what is offered by ALPN
 */
export function settingsOf(
  options: TlsOptions | undefined,
  name: string,
  protocols: ReadonlyArray<string>,
): TlsSettings {
  if (options === undefined) {
    return { context: null, rejectUnauthorized: undefined, servername: undefined, fingerprints: [], protocols };
  }
  if (typeof options !== "object" || options === null) throw badArgument(SESSION, name, options, "an object");
  const { rejectUnauthorized, servername, fingerprint256 = [] } = options;
  checkFlag(SESSION, `${name}.rejectUnauthorized`, rejectUnauthorized);
  for (const key of ["servername", "ciphers"] as const) checkText(`${name}.${key}`, options[key]);
  for (const key of ["minVersion", "maxVersion"] as const) {
    const version = options[key];
    if (version !== undefined && !VERSIONS.includes(version)) {
      throw badArgument(SESSION, `${name}.${key}`, version, `one of ${VERSIONS.join(", ")}`);
    }
  }
  const fingerprints = (Array.isArray(fingerprint256) ? fingerprint256 : [fingerprint256]).map((fingerprint: unknown) =>
    checkFingerprint(fingerprint, name),
  );
  return { context: contextOf(options, name), rejectUnauthorized, servername, fingerprints, protocols };
}

function checkText(name: string, value: unknown): void {
  if (value === undefined || (typeof value === "string" && value !== "")) return;
  throw badArgument(SESSION, name, value, "a text");
}

function checkFingerprint(value: unknown, name: string): string {
  const plain = typeof value === "string" ? value.replaceAll(":", "").toLowerCase() : "";
  if (/^[0-9a-f]{64}$/.test(plain)) return plain;
  throw badArgument(SESSION, `${name}.fingerprint256`, value, "64 hexadecimal digits, with or without colons");
}

function contextOf(options: TlsOptions, name: string): SecureContext | null {
  const given: Record<string, unknown> = {};
  for (const key of CONTEXT_KEYS) {
    const value: unknown = options[key];
    if (value !== undefined) given[key] = plainOf(value);
  }
  if (Object.keys(given).length === 0) return null;
  if ((given["cert"] === undefined) !== (given["key"] === undefined)) {
    throw refuse(`'${name}' has one of 'cert' and 'key'; pass both`);
  }
  try {
    checkCertificates(options.ca);
    return createSecureContext(given);
  } catch (cause) {
    throw refuse(`'${name}' has a certificate, a key, a passphrase or ciphers that cannot be used`, { cause });
  }
}

/** Node would take a text without a certificate for no certificate at all. */
function checkCertificates(ca: TlsOptions["ca"] = []): void {
  for (const pem of typeof ca === "string" || ca instanceof Uint8Array ? [ca] : ca) {
    // Throws for what is none.
    void new X509Certificate(pem).subject;
  }
}

/** In the form that Node knows: copies of bytes, and no secrets. */
function plainOf(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal();
  if (Array.isArray(value)) return value.map(plainOf);
  return value instanceof Uint8Array ? Buffer.from(value) : value;
}

function refuse(what: string, options?: ErrorOptions): HttpError {
  return notSent(new HttpError("MW_ERR_HTTP_INVALID_ARGUMENT", SESSION, what, options));
}
