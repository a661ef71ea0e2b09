// A data directory: made by initdb, kept or thrown away, and who serves it just now.

import { execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { chown, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Binaries } from "./embedded-binaries.ts";
import { removeDirectory } from "./embedded-directory.ts";
import { embeddedError } from "./embedded-errors.ts";
import { canReach, type Identity } from "./embedded-identity.ts";
import { EXE } from "./embedded-package.ts";
import { serverEnvironment } from "./embedded-supervisor.ts";

/** The superuser of every server of ours, and its database. */
export const USER = "postgres";
/** Where the password of a data directory lies: whoever can read it can read the data as well. */
const PASSWORD = "meanwhile.password";

/** What is needed to make a data directory. */
export interface InitOptions {
  readonly binaries: Binaries;
  readonly identity: Identity;
  /** The private directory of the server. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** Makes the data directory, or looks whether the one that is there can be used. Returns the password for TCP, if it has one. */
export async function prepareData(dataDir: string, options: InitOptions): Promise<string | null> {
  const { binaries, identity } = options;
  const names = await namesIn(dataDir);
  if (names === null || names.length === 0) return makeData(dataDir, names !== null, options);
  if (!names.includes("PG_VERSION")) {
    throw embeddedError(`"${dataDir}" holds other files; pass a 'dataDir' that is empty, or is not there yet`);
  }
  const version = (await readFile(join(dataDir, "PG_VERSION"), "utf8")).trim();
  if (version !== String(binaries.majorVersion)) {
    throw embeddedError(
      `the data in "${dataDir}" are of PostgreSQL ${version}, and the programs of ${binaries.version}; ` +
        `pass a 'binDir' with programs of PostgreSQL ${version}, or move the data with pg_upgrade`,
    );
  }
  checkReach(dataDir, identity);
  return passwordOf(dataDir);
}

/** What is in a data directory; null if it is not there. */
async function namesIn(dataDir: string): Promise<string[] | null> {
  try {
    return await readdir(dataDir);
  } catch (cause) {
    if (isCode(cause, "ENOENT")) return null;
    const what = isCode(cause, "ENOTDIR") ? "is no folder, or a part of it is none" : "cannot be read";
    throw embeddedError(`"${dataDir}" ${what}; pass a 'dataDir' that is empty, or is not there yet`, { cause });
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** The password of a data directory that was made by us; null for any other. */
export function passwordOf(dataDir: string): string | null {
  try {
    return readFileSync(join(dataDir, PASSWORD), "utf8");
  } catch {
    return null;
  }
}

function checkReach(dataDir: string, identity: Identity): void {
  if (canReach(dirname(dataDir), identity)) return;
  throw embeddedError(
    `PostgreSQL does not run as root, and user ${identity.uid} may not enter "${dirname(dataDir)}"; ` +
      `choose a 'dataDir' that everybody may reach, or run the program as another user`,
  );
}

/** A new one is made beside its place, so that there never is half of one. An empty one may be a mount point: it stays. */
async function makeData(dataDir: string, isThere: boolean, options: InitOptions): Promise<string> {
  if (!isThere) await mkdir(dirname(dataDir), { recursive: true });
  checkReach(dataDir, options.identity);
  const draft = isThere ? dataDir : `${dataDir}.${randomUUID().slice(0, 8)}.new`;
  const { uid, gid } = options.identity;
  try {
    if (!isThere) await mkdir(draft, { mode: 0o700 });
    if (uid !== undefined) await chown(draft, uid, gid ?? uid);
    const password = await initialise(draft, options);
    if (!isThere) await rename(draft, dataDir);
    return password;
  } catch (error) {
    if (!isThere) await removeDirectory(draft);
    throw error;
  }
}

/** Runs initdb. Who comes over the private socket is trusted; over TCP, where everybody of this machine may come, a password is asked for. */
async function initialise(dataDir: string, { binaries, identity, directory, signal }: InitOptions): Promise<string> {
  const password = randomBytes(24).toString("base64url");
  const passwordFile = join(directory, "password");
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (identity.uid !== undefined) await chown(passwordFile, identity.uid, identity.gid ?? identity.uid);
  // Since 17 the server itself knows upper and lower case of all of Unicode; before, only that of ASCII without a locale.
  const locale = binaries.majorVersion >= 17 ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] : [];
  const access = ["--auth-local=trust", "--auth-host=scram-sha-256", `--pwfile=${passwordFile}`];
  const args = ["-D", dataDir, "-U", USER, "-E", "UTF8", "--locale=C", ...locale, ...access, "--no-sync"];
  await runProgram(join(binaries.binDir, `initdb${EXE}`), args, identity, signal);
  await rename(passwordFile, join(dataDir, PASSWORD)).catch(() => rm(passwordFile));
  return password;
}

function runProgram(program: string, args: string[], identity: Identity, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const options = { ...identity, cwd: "/", env: serverEnvironment() };
    const child = execFile(program, args, options, (cause, _output, problems) => {
      signal.removeEventListener("abort", end);
      if (signal.aborted) reject(embeddedError("nobody waits for it any more", { cause: signal.reason }));
      else if (cause === null) resolve();
      else reject(embeddedError(`initdb fails:\n${problems.trim() || cause.message}`, { cause }));
    });
    const end = (): void => void child.kill();
    signal.addEventListener("abort", end);
  });
}

/** The server that uses a data directory, as it says itself. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly socketDirectory: string;
  readonly hasTcp: boolean;
  readonly isReady: boolean;
}

/** Reads who serves a data directory; null if nobody says so. May be out of date after a crash. */
export function readPostmaster(dataDir: string): Postmaster | null {
  try {
    const lines = readFileSync(join(dataDir, "postmaster.pid"), "utf8").split("\n");
    const [pid, , , port, socketDirectory = "", address = "", , status = ""] = lines;
    const isReady = status.trim() === "ready";
    return { pid: Number(pid), port: Number(port), socketDirectory, hasTcp: address !== "", isReady };
  } catch {
    return null;
  }
}
