// Gives a complete file its name.

import { link, linkSync, lstat, rename, renameSync, unlink, unlinkSync, writeFile } from "node:fs";
import { promisify } from "node:util";

import { systemCodeOf } from "../errors.ts";

// As in files.ts: for a small file, node:fs/promises costs more.
const io = {
  create: promisify(writeFile),
  link: promisify(link),
  lstat: promisify(lstat),
  rename: promisify(rename),
  unlink: promisify(unlink),
};
// File systems without hard links.
const NO_LINKS: ReadonlySet<string | undefined> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** Moves `part` to `path` in one step, whatever is there; false if that is a directory. */
export async function replace(part: string, path: string): Promise<boolean> {
  try {
    await io.rename(part, path);
    return true;
  } catch (error) {
    if ((await io.lstat(path).catch(() => null))?.isDirectory() === true) return false;
    throw error;
  }
}

/** Moves `part` to `path` in one step, unless there is something. */
export async function publish(part: string, path: string): Promise<boolean> {
  try {
    await io.link(part, path); // unlike rename, it never replaces
    await io.unlink(part);
    return true;
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "EEXIST") return false;
    if (!NO_LINKS.has(code)) throw error;
    return renameToFree(part, path);
  }
}

/** Does without waiting what {@link publish}, or {@link replace}, does; false if it takes one of them to do it. */
export function publishNow(part: string, path: string, isReplacing: boolean): boolean {
  try {
    if (isReplacing) renameSync(part, path);
    else linkSync(part, path);
  } catch {
    return false;
  }
  if (!isReplacing) unlinkSync(part);
  return true;
}

/** Takes the name with an empty file first, so that the rename replaces nothing but that. */
async function renameToFree(part: string, path: string): Promise<boolean> {
  try {
    await io.create(path, "", { flag: "wx" });
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST") return false;
    throw error;
  }
  await io.rename(part, path);
  return true;
}
