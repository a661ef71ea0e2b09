// Makes the directories below one, and leaves it by no link.

import { lstat, mkdir, realpath, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, join, sep } from "node:path";

import { FileProblem, systemCodeOf } from "../errors.ts";
import { withSuffix } from "./file-name.ts";
import { partNameOf, removeLeftParts } from "./part-names.ts";

/** How many are remembered; the others are looked at again. */
const REMEMBERED = 10_000;
/** How many names are tried where files or links stand in the way. */
const MOST_TRIES = 100;

export class Folders {
  readonly #root: string;
  // By the path that was asked for: the path that was made.
  readonly #made = new Map<string, string>();

  /** @param root - a real path */
  constructor(root: string) {
    this.#root = root;
  }

  /**
   * The path of a directory for these safe segments. Where a file or a link of that name is in the way, it is `name-1`.
   *
   * Cancellation: not noticed.
   */
  async make(segments: readonly string[]): Promise<string> {
    const key = segments.join("/");
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    let path = this.#root;
    for (const segment of segments) path = await makeOne(path, segment);
    await this.#check(path);
    await removeLeftParts(path);
    if (this.#made.size >= REMEMBERED) this.#made.clear();
    this.#made.set(key, path);
    return path;
  }

  /** The path of {@link make}, if it is there already; null if it is not. Makes nothing. */
  async find(segments: readonly string[]): Promise<string | null> {
    let path: string | null = this.#root;
    for (const segment of segments) if (path !== null) path = await findOne(path, segment);
    return path;
  }

  /** Whatever was moved about meanwhile, this is where it really is. */
  async #check(path: string): Promise<void> {
    const real = await realpath(path);
    if (real.startsWith(this.#root.endsWith(sep) ? this.#root : `${this.#root}${sep}`)) return;
    throw new FileProblem(`"${path}" leads out of the directory`, "EACCES");
  }
}

async function findOne(parent: string, name: string): Promise<string | null> {
  for (let suffix = 0; suffix < MOST_TRIES; suffix++) {
    const path = join(parent, withSuffix(name, suffix));
    const found = await lstat(path).catch(() => null);
    if (found === null) return null;
    if (found.isDirectory()) return path;
  }
  return null;
}

async function makeOne(parent: string, name: string): Promise<string> {
  for (let suffix = 0; suffix < MOST_TRIES; suffix++) {
    const path = join(parent, withSuffix(name, suffix));
    try {
      await mkdir(path);
      return path;
    } catch (error) {
      if (systemCodeOf(error) !== "EEXIST") throw error;
    }
    // Not stat(): a link to a directory is no directory of ours.
    if ((await lstat(path)).isDirectory()) return path;
  }
  throw new FileProblem(`no directory "${name}" can be made`, "EEXIST");
}

/** Makes a directory and those it is in. Not `mkdir` with `recursive`: where a system refuses with ENOENT, as /proc does, that never ends. */
export async function makeFolder(path: string): Promise<void> {
  for (const mayNeedParent of [true, false]) {
    try {
      await mkdir(path);
      return;
    } catch (error) {
      if ((await stat(path).catch(() => null))?.isDirectory() === true) return;
      if (!mayNeedParent || systemCodeOf(error) !== "ENOENT" || dirname(path) === path) throw error;
    }
    await makeFolder(dirname(path));
  }
}

/** Finds out now whether files can be made, and not when the first body comes. */
export async function probeFolder(directory: string): Promise<void> {
  const path = partNameOf(join(directory, ".probe"));
  await writeFile(path, "", { flag: "wx" });
  await unlink(path);
}
