// The two files of libpq in a home directory: passwords, and services.

import { readFileSync, statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

import type { Parameters } from "./dsn.ts";
import { PostgresError } from "./errors.ts";

/** What a password is for. */
export interface PasswordKey {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * The password of the first line that fits; undefined if there is none, or no file. A file that others may read is not used,
 * as libpq has it, and a warning says so.
 *
 * @param path - undefined for the one in the home directory
 * @see {@link https://www.postgresql.org/docs/current/libpq-pgpass.html}
 */
export async function passwordFromFile(path: string | undefined, key: PasswordKey): Promise<string | undefined> {
  const file = path ?? homeFile(".pgpass", "pgpass.conf");
  let text: string;
  try {
    const { mode } = await stat(file);
    if (process.platform !== "win32" && (mode & 0o077) !== 0) return warnReadable(file);
    text = await readFile(file, "utf8");
  } catch {
    return undefined;
  }
  return passwordIn(text, key);
}

/** The same of the text of a file. */
export function passwordIn(text: string, { host, port, database, user }: PasswordKey): string | undefined {
  // The server of a Unix socket is known as localhost.
  const wanted = [host.startsWith("/") ? "localhost" : host, String(port), database, user];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#") || line === "") continue;
    const fields = [...line.matchAll(/((?:[^:\\]|\\.)*)(?::|$)/gs)].map(([, field = ""]) =>
      field.replaceAll(/\\(.)/gs, "$1"),
    );
    if (wanted.every((value, at) => fields[at] === "*" || fields[at] === value)) return fields[4];
  }
  return undefined;
}

function warnReadable(file: string): undefined {
  process.emitWarning(`The password file ${file} is not used, because others may read it; run: chmod 600 ${file}`, {
    type: "MeanwhileWarning",
    code: "MW_WARN_PG_PASSFILE",
  });
}

/**
 * What a service is: a section of a file.
 *
 * @throws {@link PostgresError} `MW_ERR_PG_INVALID_ARGUMENT` if there is no such section
 * @see {@link https://www.postgresql.org/docs/current/libpq-pgservice.html}
 */
export function parametersOfService(service: string, path: string | undefined): Parameters {
  const file = path ?? homeFile(".pg_service.conf", ".pg_service.conf");
  const found = textOf(file);
  const parameters = found === null ? null : sectionOf(found, service);
  if (parameters !== null) return parameters;
  // That of the whole machine comes after that of the user.
  const directory = process.env["PGSYSCONFDIR"] ?? "";
  const common = directory === "" ? null : textOf(join(directory, "pg_service.conf"));
  const others = common === null ? null : sectionOf(common, service);
  if (others !== null) return others;
  const what = found === null ? `there is no file ${file}` : `${file} has no section [${service}]`;
  throw new PostgresError("MW_ERR_PG_INVALID_ARGUMENT", `Cannot use the service "${service}": ${what}`);
}

function textOf(file: string): string | null {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(file, "utf8") : null;
}

function sectionOf(text: string, service: string): Parameters | null {
  let parameters: Parameters | null = null;
  for (const line of text.split(/\r?\n/).map((one) => one.trim())) {
    if (line.startsWith("[")) {
      if (parameters !== null) return parameters;
      if (line === `[${service}]`) parameters = {};
    } else if (parameters !== null && line !== "" && !line.startsWith("#")) {
      const end = line.indexOf("=");
      if (end > 0) parameters[line.slice(0, end).trim()] = line.slice(end + 1).trim();
    }
  }
  return parameters;
}

function homeFile(name: string, windowsName: string): string {
  if (process.platform !== "win32") return join(homedir(), name);
  return join(process.env["APPDATA"] ?? homedir(), "postgresql", windowsName);
}
