// A file that is being written under a name of its own, beside the place where it shall stand when it is complete.
//
// Nothing here is cancelled in the middle: a write to a disk is short, and one that was given up would still be under way
// when its descriptor belongs to somebody else.

import { constants, type Stats } from "node:fs";
import { type FileHandle, link, lstat, open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";

import { checkpoint } from "meanwhile";

import type { HttpError, HttpErrorCode } from "./errors.ts";
import { codeOf } from "./failures.ts";
import { temporaryNameOf } from "./temporary-name.ts";

/** Makes an error about the request whose answer is saved. */
export type MakeError = (code: HttpErrorCode, what: string, options?: ErrorOptions) => HttpError;

// Windows has no O_NOFOLLOW: undefined, which counts as 0 here.
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
const NEW = O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR;
const OLD = O_NOFOLLOW | O_RDWR;
// File systems without hard links.
const NO_LINKS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);
const READ_BYTES = 1024 * 1024;

export class PartFile {
  readonly path: string;
  /** How many bytes it has. */
  size: number;
  // Null once it is closed: the system gives the number to somebody else then.
  #handle: FileHandle | null;
  readonly #makeError: MakeError;

  private constructor(path: string, size: number, handle: FileHandle, makeError: MakeError) {
    this.path = path;
    this.size = size;
    this.#handle = handle;
    this.#makeError = makeError;
  }

  /** A new one. Neither a file nor a link that is there is touched. */
  static async create(path: string, makeError: MakeError): Promise<PartFile> {
    return guarded(makeError, "create", async () => new PartFile(path, 0, await open(path, NEW, 0o666), makeError));
  }

  /** One that an earlier run has left; null if there is none, or what is there cannot be one. */
  static async reopen(path: string, makeError: MakeError): Promise<PartFile | null> {
    const handle = await open(path, OLD).catch(() => null);
    const stats = (await handle?.stat().catch(() => null)) ?? null;
    if (handle !== null && stats !== null && isOurs(stats)) return new PartFile(path, stats.size, handle, makeError);
    await handle?.close();
    return null;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await guarded(this.#makeError, "write", async () => {
      for (let at = 0; at < chunk.length;) {
        const { bytesWritten } = await this.#open.write(chunk, at, chunk.length - at, this.size);
        at += bytesWritten;
        this.size += bytesWritten;
      }
    });
  }

  /**
   * Reads all of it, piece by piece.
   *
   * Cancellation: ends between two pieces.
   */
  async forEachPiece(use: (piece: Uint8Array) => void): Promise<void> {
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, this.size));
    for (let at = 0; at < this.size;) {
      await checkpoint();
      const { bytesRead } = await guarded(this.#makeError, "read", () =>
        this.#open.read(buffer, 0, Math.min(buffer.length, this.size - at), at),
      );
      if (bytesRead === 0) throw this.#makeError("MW_ERR_HTTP_FILE", "the file on the disk became shorter");
      use(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  }

  /** Waits until the disk has it. */
  async sync(): Promise<void> {
    await guarded(this.#makeError, "write", () => this.#open.sync());
  }

  /** Gives the complete file its name in one step. */
  async publish(target: string, { overwrite, fsync }: { overwrite: boolean; fsync: boolean }): Promise<void> {
    await guarded(this.#makeError, "name", async () => {
      if (fsync) await this.#open.sync();
      const taken = await this.#takeAway();
      await this.close();
      try {
        if (overwrite) await replace(taken, target, this.#makeError);
        else if (!(await moveToFree(taken, target))) throw fileExists(this.#makeError);
      } catch (error) {
        await moveToFree(taken, this.path).catch(nothing);
        throw error;
      }
      if (fsync) await syncDirectory(dirname(target));
    });
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  /** Closes it and removes what was written. */
  async discard(): Promise<void> {
    await this.close().catch(nothing);
    await unlink(this.path).catch(nothing);
  }

  get #open(): FileHandle {
    if (this.#handle === null) throw this.#makeError("MW_ERR_HTTP_FILE", "the file was closed");
    return this.#handle;
  }

  // Another run may have begun anew meanwhile, or do so at any moment: only under a name that nobody else knows is it
  // certain that what gets the final name is what we have verified.
  async #takeAway(): Promise<string> {
    const ours = await this.#open.stat({ bigint: true });
    const taken = temporaryNameOf(this.path);
    await rename(this.path, taken);
    const there = await lstat(taken, { bigint: true });
    if (ours.ino === there.ino && ours.dev === there.dev) return taken;
    await moveToFree(taken, this.path).catch(nothing);
    const what = "somebody else has replaced the unfinished file; download to one place once at a time";
    throw this.#makeError("MW_ERR_HTTP_FILE", what);
  }
}

/** The error for a place that is taken. */
function fileExists(makeError: MakeError): HttpError {
  const what = "there is a file of that name already; choose another one, or pass overwrite: true";
  return makeError("MW_ERR_HTTP_FILE_EXISTS", what);
}

/**
 * Throws if the place is taken: if there is anything of that name, be it a link that leads nowhere, or, where a file may be
 * replaced, if it is anything else.
 */
export async function checkPlace(path: string, overwrite: boolean, makeError: MakeError): Promise<void> {
  const there = await lstat(path).catch((error: unknown) => {
    if (error instanceof Error && codeOf(error) === "ENOENT") return null;
    throw fileFailure(makeError, "create", error);
  });
  if (there === null) return;
  if (!overwrite) throw fileExists(makeError);
  if (there.isFile()) return;
  const kind = there.isSymbolicLink() ? "a symbolic link; pass the path of the file itself" : "not a regular file";
  throw makeError("MW_ERR_HTTP_FILE", `what is there is ${kind}`);
}

/** Between the look and the move somebody may put something else there; whoever can do so can move files as well. */
async function replace(taken: string, target: string, makeError: MakeError): Promise<void> {
  await checkPlace(target, true, makeError);
  await rename(taken, target);
}

/** Not a device, and not a file that has another name somewhere: what is written to it would appear there. */
function isOurs(stats: Stats): boolean {
  return stats.isFile() && stats.nlink === 1;
}

/** What the system refuses gets our code. */
export async function guarded<T>(makeError: MakeError, verb: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileFailure(makeError, verb, error);
  }
}

function fileFailure(makeError: MakeError, verb: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("syscall" in error)) return error;
  const code = codeOf(error);
  if (code === "EEXIST") return fileExists(makeError);
  return makeError("MW_ERR_HTTP_FILE", `the system cannot ${verb} the file (${code})`, { cause: error });
}

/** Moves a file, unless there is something. */
async function moveToFree(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to); // unlike rename, it never replaces
    await unlink(from);
    return true;
  } catch (error) {
    const code = error instanceof Error ? codeOf(error) : "";
    if (code === "EEXIST") return false;
    if (!NO_LINKS.has(code)) throw error;
  }
  // Takes the name with an empty file, so that the rename replaces nothing but that.
  const handle = await open(to, NEW, 0o666).catch((error: unknown) => {
    if (error instanceof Error && codeOf(error) === "EEXIST") return null;
    throw error;
  });
  await handle?.close();
  if (handle !== null) await rename(from, to);
  return handle !== null;
}

/** The name is as durable as the bytes then. Not every system lets one open a directory. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r").catch(() => null);
  await handle?.sync().catch(nothing);
  await handle?.close();
}

function nothing(): void {}
