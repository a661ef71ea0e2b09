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
import { PartFile, savedTo } from "./part-file.ts";
import { partNameOf, removeLeftParts } from "./part-names.ts";
import { publishNow } from "./publish.ts";
import { DiskPace, NEW_FILE, writeWhole } from "./whole-file.ts";

// Plain descriptors: the FileHandle of node:fs/promises costs half as much again for a small file.
const open = promisify(fs.open);
const lstat = promisify(fs.lstat);
const NOTHING = new Uint8Array();

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

export class Directory {
  readonly path: string;
  /** Of all its files. */
  readonly pace: DiskPace = new DiskPace();
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
        return new PartFile(this, await open(part, NEW_FILE, 0o666), { name, suffix: at, part });
      } catch (error) {
        this.release(candidate);
        if (systemCodeOf(error) !== "EEXIST") throw error;
      }
    }
  }

  /** Saves a small body that is all there as the file that {@link create} would make of it, and returns its name. */
  async save(name: string, bytes: Uint8Array, suffix: number = this.#lastSuffix.get(name) ?? 0): Promise<string> {
    if (this.options.fsync === true || !this.pace.isQuick()) return savedTo(await this.create(name, suffix), bytes);
    let at = suffix;
    while (!this.claim(withSuffix(name, at))) at = this.nextSuffix(name, at);
    const path = join(this.path, withSuffix(name, at));
    let part = "";
    const isDone = this.pace.time(() => {
      part = this.#writeNow(path, bytes, withSuffix(name, at));
      return publishNow(part, path, this.options.overwrite === true);
    });
    return isDone ? withSuffix(name, at) : savedTo(new PartFile(this, null, { name, suffix: at, part }), NOTHING);
  }

  #writeNow(path: string, bytes: Uint8Array, claimed: string): string {
    for (;;) {
      const part = partNameOf(path);
      try {
        writeWhole(part, bytes);
        return part;
      } catch (error) {
        // A process of the same number has left it.
        if (systemCodeOf(error) === "EEXIST") continue;
        this.release(claimed);
        throw error;
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
