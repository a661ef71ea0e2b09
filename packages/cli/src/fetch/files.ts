// Saves bodies as files of one directory and those below it. A file of the final name is complete, and nothing that was
// there is replaced, unless it was asked for.
//
//   open a part beside NAME ──▶ write ──▶ link as NAME, only if there is none ──▶ remove the part
//                                                      └── taken: NAME-1
//
// To overwrite, the part is renamed to NAME, which replaces it in one step; a symbolic link itself, not what it leads to.
// What this run has written is not replaced, and no final name ends as those of unfinished files do.

import * as fs from "node:fs";
import { join, relative, sep } from "node:path";
import { promisify } from "node:util";

import { startError, systemCodeOf } from "../errors.ts";
import { finalName, withSuffix } from "./file-name.ts";
import { Folders, makeFolder, probeFolder } from "./folders.ts";
import { NameClaims } from "./name-claims.ts";
import { partNameOf, removeLeftParts } from "./part-names.ts";
import { publish, replace } from "./publish.ts";

// Plain descriptors: the FileHandle of node:fs/promises costs half as much again for a small file.
const open = promisify(fs.open);
const write: (fd: number, bytes: Uint8Array, offset: number) => Promise<{ bytesWritten: number }> = promisify(fs.write);
const close = promisify(fs.close);
const unlink = promisify(fs.unlink);
const fsync = promisify(fs.fsync);
const lstat = promisify(fs.lstat);

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants;
const FLAGS = O_CREAT | O_EXCL | O_WRONLY | (O_NOFOLLOW ?? 0); // Windows has no O_NOFOLLOW

/** Smaller files are synced only if asked to: it would take longer than to fetch them. */
const SYNCED_BYTES = 1024 * 1024;

export interface DirectoryOptions {
  /** Whether a file of that name is replaced. */
  readonly overwrite?: boolean;
  /** Whether even small files are synced. */
  readonly fsync?: boolean;
}

/** What {@link Directory.find} has found. */
export interface FoundFile {
  /** Undefined if there is no such file. */
  readonly name: string | undefined;
  /** The number behind its name; 0 for none. */
  readonly suffix: number;
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
    for (;;) {
      const name = withSuffix(this.#name, this.#suffix);
      if (await this.#publish(join(this.#directory.path, name))) return name;
      this.#suffix = this.#directory.nextSuffix(this.#name, this.#suffix);
      while (!this.#directory.claim(withSuffix(this.#name, this.#suffix))) this.#suffix += 1;
    }
  }

  #publish(path: string): Promise<boolean> {
    return this.#directory.options.overwrite === true ? replace(this.#part, path) : publish(this.#part, path);
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
    this.#directory.release(withSuffix(this.#name, this.#suffix));
  }
}

export class Directory {
  readonly path: string;
  readonly options: DirectoryOptions;
  readonly #folders: Folders;
  // Only names that were taken are kept, so that a million distinct ones cost nothing.
  readonly #lastSuffix = new Map<string, number>();
  // By the name that {@link find} was asked for.
  readonly #nextFound = new Map<string, number>();
  // Names of files that are not written as a PartFile, and whose they are.
  readonly #reserved = new Map<string, number>();
  // Of the names of this run, where a file that is there is no obstacle.
  readonly #claims = new NameClaims();

  private constructor(path: string, options: DirectoryOptions) {
    this.path = path;
    this.options = options;
    this.#folders = new Folders(path);
  }

  /** @throws {@link CommandError} with exit code 3 if there is no such directory and none can be made, or no file in it */
  static async open(path: string, options: DirectoryOptions = {}): Promise<Directory> {
    try {
      await makeFolder(path);
      const real = await fs.promises.realpath(path);
      await probeFolder(real);
      await removeLeftParts(real);
      return new Directory(real, options);
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
    const [name = "index", ...folders] = segments.map(finalName).toReversed();
    if (folders.length === 0) return name;
    const folder = await this.#folders.make(folders.toReversed());
    return relative(this.path, join(folder, name)).split(sep).join("/");
  }

  /**
   * Finds the file of safe segments and makes it that of one URL: for the next one of the same segments it is `name-1`.
   * Makes nothing.
   *
   * Cancellation: not noticed.
   */
  async find(segments: readonly string[]): Promise<FoundFile> {
    const [name = "index", ...folders] = segments.map(finalName).toReversed();
    const folder = await this.#folders.find(folders.toReversed());
    const key = segments.join("/");
    for (let suffix = this.#nextFound.get(key) ?? 0; ; suffix++) {
      const candidate = withSuffix(name, suffix);
      const path = join(folder ?? join(this.path, ...folders.toReversed()), candidate);
      const found = folder === null ? null : await lstat(path).catch(() => null);
      if (found?.isDirectory() === true || !this.#claims.claim(path)) continue;
      if (suffix > 0) this.#nextFound.set(key, suffix + 1);
      return { suffix, name: found === null ? undefined : relative(this.path, path).split(sep).join("/") };
    }
  }

  /** Opens a new file for a safe name, or, if that is taken, for the next one that is free. `suffix` as {@link find} had it. */
  async create(name: string, suffix: number = this.#lastSuffix.get(name) ?? 0): Promise<PartFile> {
    for (let at = suffix; ; at = this.nextSuffix(name, at)) {
      const candidate = withSuffix(name, at);
      if (!this.claim(candidate)) continue;
      const part = partNameOf(join(this.path, candidate));
      try {
        return new PartFile(this, await open(part, FLAGS, 0o666), { name, suffix: at, part });
      } catch (error) {
        this.release(candidate);
        if (systemCodeOf(error) !== "EEXIST") throw error;
      }
    }
  }

  /** Takes a name for a URL of this run; false if another one has it and its file would be replaced. */
  claim(name: string): boolean {
    return this.options.overwrite !== true || this.#claims.claim(name);
  }

  /** Gives up a name of {@link claim} under which nothing was written. */
  release(name: string): void {
    if (this.options.overwrite === true) this.#claims.release(name);
  }

  /** Keeps a name for a file that `owner` writes by itself, until {@link free}; false if it is kept for another. */
  reserve(name: string, owner: number): boolean {
    const known = this.#reserved.get(name);
    if (known !== undefined) return known === owner;
    if (!this.claim(name)) return false;
    this.#reserved.set(name, owner);
    return true;
  }

  /** @param isWritten - whether there is a file of that name now */
  free(name: string, isWritten: boolean): void {
    this.#reserved.delete(name);
    if (!isWritten) this.release(name);
  }

  /** The suffix to try after `taken`. */
  nextSuffix(name: string, taken: number): number {
    const next = Math.max(taken, this.#lastSuffix.get(name) ?? 0) + 1;
    this.#lastSuffix.set(name, next);
    return next;
  }
}
