// Saves bodies as files of one directory and those below it. A file of the final name is complete, and nothing that was
// there is replaced, unless it was asked for.
//
//   open NAME.part, only if there is none ──▶ write ──▶ link as NAME, only if there is none ──▶ remove NAME.part
//                     └── taken: NAME-1 ◀─────────────────────┘
//
// To overwrite, NAME.part is renamed to NAME, which replaces it in one step; a symbolic link itself, not what it leads to.

import * as fs from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { promisify } from "node:util";

import { startError, systemCodeOf } from "../errors.ts";
import { withSuffix } from "./file-name.ts";
import { Folders } from "./folders.ts";

// Plain descriptors: the FileHandle of node:fs/promises costs half as much again for a small file.
const open = promisify(fs.open);
const write: (fd: number, bytes: Uint8Array, offset: number) => Promise<{ bytesWritten: number }> = promisify(fs.write);
const close = promisify(fs.close);
const mkdir: (path: string) => Promise<void> = promisify(fs.mkdir);
const link = promisify(fs.link);
const unlink = promisify(fs.unlink);
const rename = promisify(fs.rename);
const fsync = promisify(fs.fsync);
const lstat = promisify(fs.lstat);

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants;
const FLAGS = O_CREAT | O_EXCL | O_WRONLY | (O_NOFOLLOW ?? 0); // Windows has no O_NOFOLLOW
// File systems without hard links.
const NO_LINKS: ReadonlySet<string | undefined> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** Smaller files are synced only if asked to: it would take longer than to fetch them. */
const SYNCED_BYTES = 1024 * 1024;

export interface DirectoryOptions {
  /** Whether a file of that name is replaced. */
  readonly overwrite?: boolean;
  /** Whether even small files are synced. */
  readonly fsync?: boolean;
}

/** A file that is being written. */
export class PartFile {
  readonly #directory: Directory;
  // Null once it is closed: the system gives the number to somebody else then.
  #fd: number | null;
  readonly #name: string;
  readonly #part: string;
  #suffix: number;
  #size = 0;

  constructor(directory: Directory, fd: number, name: { name: string; suffix: number; part: string }) {
    this.#directory = directory;
    this.#fd = fd;
    this.#name = name.name;
    this.#suffix = name.suffix;
    this.#part = name.part;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) at += (await write(this.#fd ?? -1, chunk, at)).bytesWritten;
    this.#size += chunk.length;
  }

  /** Gives the complete file its name and returns it. */
  async finish(): Promise<string> {
    if (this.#fd !== null && (this.#size >= SYNCED_BYTES || this.#directory.options.fsync === true)) {
      await fsync(this.#fd);
    }
    await this.#close();
    if (this.#directory.options.overwrite === true) {
      await rename(this.#part, join(this.#directory.path, this.#name));
      return this.#name;
    }
    for (;;) {
      const name = withSuffix(this.#name, this.#suffix);
      if (await publish(this.#part, join(this.#directory.path, name))) return name;
      this.#suffix = this.#directory.nextSuffix(this.#name, this.#suffix);
    }
  }

  async #close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = null;
    if (fd !== null) await close(fd);
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    await this.#close();
    await unlink(this.#part);
  }
}

export class Directory {
  readonly path: string;
  readonly options: DirectoryOptions;
  readonly #folders: Folders;
  // Only names that were taken are kept, so that a million distinct ones cost nothing.
  readonly #lastSuffix = new Map<string, number>();
  // Names of files that are not written as a PartFile, and whose they are.
  readonly #reserved = new Map<string, number>();

  private constructor(path: string, options: DirectoryOptions) {
    this.path = path;
    this.options = options;
    this.#folders = new Folders(path);
  }

  /** @throws {@link CommandError} with exit code 3 if there is no such directory and none can be made */
  static async open(path: string, options: DirectoryOptions = {}): Promise<Directory> {
    try {
      await makeDirectory(path);
      return new Directory(await fs.promises.realpath(path), options);
    } catch (error) {
      throw startError(`cannot save to "${path}"`, error);
    }
  }

  /**
   * The name of safe segments, with the directories made that it needs. No link is followed on the way.
   *
   * Cancellation: not noticed.
   */
  async nameOf(segments: readonly string[]): Promise<string> {
    const [name = "index"] = segments.slice(-1);
    if (segments.length <= 1) return name;
    const folder = await this.#folders.make(segments.slice(0, -1));
    return relative(this.path, join(folder, name)).split(sep).join("/");
  }

  /** Whether there is something of that name already. Makes nothing. */
  async has(segments: readonly string[]): Promise<boolean> {
    return (await lstat(join(this.path, ...segments)).catch(() => null)) !== null;
  }

  /** Opens a new file for a safe name, or, if that is taken, for the next one that is free. */
  async create(name: string): Promise<PartFile> {
    let suffix = this.#lastSuffix.get(name) ?? 0;
    for (;;) {
      const part = join(this.path, `${withSuffix(name, suffix)}.part`);
      try {
        return new PartFile(this, await open(part, FLAGS, 0o666), { name, suffix, part });
      } catch (error) {
        if (systemCodeOf(error) !== "EEXIST") throw error;
        suffix = this.nextSuffix(name, suffix);
      }
    }
  }

  /** Keeps a name for a file that `owner` writes by itself, until {@link free}; false if it is kept for another. */
  reserve(name: string, owner: number): boolean {
    const known = this.#reserved.get(name);
    if (known === undefined) this.#reserved.set(name, owner);
    return known === undefined || known === owner;
  }

  free(name: string): void {
    this.#reserved.delete(name);
  }

  /** The suffix to try after `taken`. */
  nextSuffix(name: string, taken: number): number {
    const next = Math.max(taken, this.#lastSuffix.get(name) ?? 0) + 1;
    this.#lastSuffix.set(name, next);
    return next;
  }
}

/** Not `mkdir` with `recursive`: where a system refuses with ENOENT, as /proc does, that never ends. */
async function makeDirectory(path: string): Promise<void> {
  for (const mayNeedParent of [true, false]) {
    try {
      await mkdir(path);
      return;
    } catch (error) {
      if ((await fs.promises.stat(path).catch(() => null))?.isDirectory() === true) return;
      if (!mayNeedParent || systemCodeOf(error) !== "ENOENT" || dirname(path) === path) throw error;
    }
    await makeDirectory(dirname(path));
  }
}

/** Moves `part` to `path` in one step, unless there is something. */
async function publish(part: string, path: string): Promise<boolean> {
  try {
    await link(part, path); // unlike rename, it never replaces
    await unlink(part);
    return true;
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "EEXIST") return false;
    if (!NO_LINKS.has(code)) throw error;
    return renameToFree(part, path);
  }
}

/** Takes the name with an empty file first, so that the rename replaces nothing but that. */
async function renameToFree(part: string, path: string): Promise<boolean> {
  try {
    await close(await open(path, FLAGS, 0o666));
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST") return false;
    throw error;
  }
  await rename(part, path);
  return true;
}
