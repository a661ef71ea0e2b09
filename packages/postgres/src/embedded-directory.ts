// The private directory of a running server: its socket, its log, who owns it, and the data if nobody wants to keep them.
// What owners left that were killed is found here and removed.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chown, lstat, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { embeddedError } from "./embedded-errors.ts";
import { canReach, type Identity } from "./embedded-identity.ts";
import { commandOf, exists, isRunning, type ProcessIdentity, thisProcess } from "./process-identity.ts";

/** What is in the name of a socket where no port of TCP is: each has a directory to itself. */
export const PORT = 5432;

const PREFIX = "meanwhile-pg-";
const NAME = /^meanwhile-pg-[A-Za-z0-9]{6}$/;
// What the address of a Unix socket has room for on the systems that have least.
const LONGEST_SOCKET = 103;
const OWNER = "owner.json";
/** How old a directory is whose owner cannot be asked after, before it is believed to be left. */
const LEFT_AFTER_MS = 10 * 60_000;
const STOP_MS = 5_000;

/** A new directory that only `identity` may enter, and root. */
export async function createDirectory(identity: Identity): Promise<string> {
  const directory = await mkdtemp(join(baseFor(identity), PREFIX));
  if (identity.uid !== undefined) await chown(directory, identity.uid, identity.gid ?? identity.uid);
  await writeFile(join(directory, OWNER), JSON.stringify(thisProcess()), { mode: 0o600 });
  return directory;
}

function baseFor(identity: Identity): string {
  const bases = process.platform === "win32" ? [tmpdir()] : [tmpdir(), "/tmp"];
  const fits = (base: string): boolean => join(base, `${PREFIX}xxxxxx`, ".s.PGSQL.65535").length <= LONGEST_SOCKET;
  const base = bases.find((one) => existsSync(one) && fits(one) && canReach(one, identity));
  if (base === undefined) {
    throw embeddedError(
      `the temporary directory "${tmpdir()}" is too deep for a Unix socket, or closed to the user a server runs as; ` +
        `set TMPDIR to one with a short name that everybody may enter`,
    );
  }
  return base;
}

/** Removes the directory and what is in it, also while something in it is just being written. */
export async function removeDirectory(directory: string): Promise<void> {
  // Who owns it last: if the rest cannot be removed now, the next sweep still knows whether it may.
  const names = await readdir(directory).catch(() => []);
  for (const name of names) if (name !== OWNER) await remove(join(directory, name));
  await remove(directory);
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
}

/** Ends the servers of owners that have died, and removes their directories. Never fails: somebody else may do the same. */
export async function sweep(identity: Identity): Promise<void> {
  const bases = new Set([tmpdir(), baseFor(identity)]);
  for (const base of bases) {
    const names = await readdir(base).catch(() => []);
    await Promise.all(names.filter((name) => NAME.test(name)).map((name) => sweepOne(join(base, name), identity)));
  }
}

async function sweepOne(directory: string, identity: Identity): Promise<void> {
  try {
    const stats = await lstat(directory);
    const isOurs = stats.uid === process.getuid?.() || stats.uid === identity.uid || process.platform === "win32";
    if (!stats.isDirectory() || !isOurs || !(await isLeft(directory, stats.mtimeMs))) return;
    if (await stopServerOf(directory)) await removeDirectory(directory);
  } catch {
    // It has just been removed, or cannot be: what is left of it costs nothing but its place on the disk.
  }
}

async function isLeft(directory: string, changedAt: number): Promise<boolean> {
  const owner = await readOwner(directory);
  const runs = owner === null ? null : isRunning(owner);
  if (runs !== null) return !runs;
  // Being made at this moment, or made in another container: left only if it is old and nobody answers.
  if (Date.now() - changedAt <= LEFT_AFTER_MS) return false;
  const socket = (await readdir(directory)).find((name) => /^\.s\.PGSQL\.\d+$/.test(name));
  return socket === undefined || !(await answers(join(directory, socket)));
}

async function readOwner(directory: string): Promise<ProcessIdentity | null> {
  try {
    const owner: unknown = JSON.parse(await readFile(join(directory, OWNER), "utf8"));
    return isProcess(owner) ? owner : null;
  } catch {
    return null;
  }
}

function isProcess(value: unknown): value is ProcessIdentity {
  if (typeof value !== "object" || value === null) return false;
  if (!("pid" in value && "started" in value && "where" in value)) return false;
  return typeof value.pid === "number" && typeof value.started === "string" && typeof value.where === "string";
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.on("connect", () => end(true)).on("error", () => end(false));
  });
}

/** Whether no server uses the directory any more. One that still does is told to end. */
async function stopServerOf(directory: string): Promise<boolean> {
  const pid = serverOf(directory);
  if (pid === null) return true;
  process.kill(pid, "SIGINT");
  for (let waited = 0; exists(pid) && waited < STOP_MS; waited += 10) await pause(10);
  if (exists(pid) && serverOf(directory) === pid) process.kill(pid, "SIGQUIT");
  for (let waited = 0; exists(pid) && waited < STOP_MS; waited += 10) await pause(10);
  return !exists(pid);
}

/** The server whose socket lies in the directory; null if there is none. */
function serverOf(directory: string): number | null {
  const lock = readdirSync(directory).find((name) => /^\.s\.PGSQL\.\d+\.lock$/.test(name));
  if (lock === undefined) return null;
  const pid = Number.parseInt(readFileSync(join(directory, lock), "utf8"), 10);
  return exists(pid) && commandOf(pid).includes(directory) ? pid : null;
}
