// Saves bodies as files of one directory. A file of the final name is complete, and nothing that was there is replaced.
//
//   open NAME.part, only if there is none ──▶ write ──▶ link as NAME, only if there is none ──▶ remove NAME.part
//                     └── taken: NAME-1 ◀─────────────────────┘

import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { startError, systemCodeOf } from "../errors.ts";
import { withSuffix } from "./file-name.ts";

// Plain descriptors: the FileHandle of node:fs/promises costs half as much again for a small file.
const open = promisify(fs.open);
const write: (fd: number, bytes: Uint8Array, offset: number) => Promise<{ bytesWritten: number }> = promisify(fs.write);
const close = promisify(fs.close);
const mkdir: (path: string) => Promise<void> = promisify(fs.mkdir);
const link = promisify(fs.link);
const unlink = promisify(fs.unlink);
const rename = promisify(fs.rename);

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants;
const FLAGS = O_CREAT | O_EXCL | O_WRONLY | (O_NOFOLLOW ?? 0); // Windows has no O_NOFOLLOW
// File systems without hard links.
const NO_LINKS: ReadonlySet<string | undefined> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** A file that is being written. */
export class PartFile {
  readonly #directory: Directory;
  // Null once it is closed: the system gives the number to somebody else then.
  #fd: number | null;
  readonly #name: string;
  readonly #part: string;
  #suffix: number;

  constructor(directory: Directory, fd: number, name: { name: string; suffix: number; part: string }) {
    this.#directory = directory;
    this.#fd = fd;
    this.#name = name.name;
    this.#suffix = name.suffix;
    this.#part = name.part;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) at += (await write(this.#fd ?? -1, chunk, at)).bytesWritten;
  }

  /** Gives the complete file its name and returns it. */
  async finish(): Promise<string> {
    await this.#close();
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
  // Only names that were taken are kept, so that a million distinct ones cost nothing.
  readonly #lastSuffix = new Map<string, number>();

  private constructor(path: string) {
    this.path = path;
  }

  /** @throws {@link CommandError} with exit code 3 if there is no such directory and none can be made */
  static async open(path: string): Promise<Directory> {
    try {
      await makeDirectory(path);
      return new Directory(await fs.promises.realpath(path));
    } catch (error) {
      throw startError(`cannot save to "${path}"`, error);
    }
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
