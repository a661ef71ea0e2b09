// Files with secrets in them: read and written so that nobody else can see or exchange them.

import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { codeOf } from "./failures.ts";

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
// Windows has none of these.
const SAFELY = (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0);

/** Which files are read. */
export interface PrivateFileRules {
  readonly maxBytes: number;
  /** Whether one that others may read is refused. */
  readonly ownerOnly: boolean;
  /** Whether a symbolic link is followed. */
  readonly followsLinks: boolean;
}

/** The text of a file; null if there is none. What speaks against reading it is an {@link Unusable}. */
export async function readPrivateFile(path: string, rules: PrivateFileRules): Promise<string | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, O_RDONLY | (rules.followsLinks ? (O_NONBLOCK ?? 0) : SAFELY));
  } catch (error) {
    if (error instanceof Error && codeOf(error) === "ENOENT") return null;
    throw unusable(error);
  }
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Unusable("it is not a file");
    if (rules.ownerOnly && process.platform !== "win32") checkOwner(stats.mode, stats.uid);
    return await readLimited(handle, rules.maxBytes);
  } catch (error) {
    throw unusable(error);
  } finally {
    await handle.close();
  }
}

/** Not `readFile`: the file may grow, or say nothing of its size. */
async function readLimited(handle: FileHandle, maxBytes: number): Promise<string> {
  const parts: Buffer[] = [];
  let count = 0;
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(65_536));
    if (bytesRead === 0) return Buffer.concat(parts).toString();
    count += bytesRead;
    if (count > maxBytes) throw new Unusable(`it has more than ${maxBytes} bytes`);
    parts.push(buffer.subarray(0, bytesRead));
  }
}

function checkOwner(mode: number, uid: number): void {
  if ((mode & 0o077) !== 0) throw new Unusable("others may read it; take that away with chmod 600");
  const user = process.getuid?.();
  if (user !== undefined && uid !== user && uid !== 0) throw new Unusable("it belongs to somebody else");
}

/** Writes a file of mode 0600, whole or not at all: beside it first, then in its place. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    await refuseOddPlace(path);
    const handle = await open(draft, O_CREAT | O_EXCL | O_WRONLY | (O_NOFOLLOW ?? 0), 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(draft, { force: true });
    throw unusable(error);
  }
}

/** A link or a device in its place was put there by somebody: what should follow is not for us to guess. */
async function refuseOddPlace(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => null);
  if (stats?.isSymbolicLink() === true) throw new Unusable("it is a symbolic link; pass the path of the file itself");
  if (stats?.isFile() === false) throw new Unusable("it is not a file");
}

/** So that the new name outlives a crash. Where a directory cannot be opened, there is nothing to be done. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(path, O_RDONLY | O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Why a file cannot be used, in words for an error of ours. Never thrown to a caller. */
export class Unusable extends Error {}

function unusable(cause: unknown): Unusable {
  if (cause instanceof Unusable) return cause;
  const code = cause instanceof Error ? codeOf(cause) : "";
  return new Unusable(code === "ELOOP" ? "it is a symbolic link" : `the system refuses (${code})`, { cause });
}
