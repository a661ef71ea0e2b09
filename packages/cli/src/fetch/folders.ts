// Makes the directories below one, and leaves it by no link.

import { lstat, mkdir, realpath } from "node:fs/promises";
import { join, sep } from "node:path";

import { FileProblem, systemCodeOf } from "../errors.ts";
import { withSuffix } from "./file-name.ts";

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
    if (this.#made.size >= REMEMBERED) this.#made.clear();
    this.#made.set(key, path);
    return path;
  }

  /** Whatever was moved about meanwhile, this is where it really is. */
  async #check(path: string): Promise<void> {
    const real = await realpath(path);
    if (real.startsWith(this.#root.endsWith(sep) ? this.#root : `${this.#root}${sep}`)) return;
    throw new FileProblem(`"${path}" leads out of the directory`, "EACCES");
  }
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
