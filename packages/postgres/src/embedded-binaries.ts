// Finds the programs `initdb` and `postgres`: in the folder the user names, in the package of the platform, or on PATH.

import { execFile } from "node:child_process";
import { constants, existsSync } from "node:fs";
import { copyFile, chown, link, mkdir, readdir, readFile, readlink, symlink } from "node:fs/promises";
import { delimiter, dirname, join, relative } from "node:path";
import { promisify } from "node:util";

import { embeddedError, noBinaries } from "./embedded-errors.ts";
import type { Identity } from "./embedded-identity.ts";
import { EXE, hasBoth, packagedRoot } from "./embedded-package.ts";

/** Programs that have been seen to run. */
export interface Binaries {
  readonly binDir: string;
  /** As PostgreSQL says it, like `18.4`. */
  readonly version: string;
  readonly majorVersion: number;
}

const run = promisify(execFile);

/**
 * The programs for `identity`, which may see less of the disk than we do: what it cannot reach is copied into `directory`.
 *
 * @throws {@link PostgresError} `MW_ERR_PG_EMBEDDED` if there are none, or they do not run
 */
export async function findBinaries(
  asked: string | undefined,
  identity: Identity,
  directory: string,
  packaged: string | null = packagedRoot(),
): Promise<Binaries> {
  if (asked !== undefined) return check(asked, identity);
  if (packaged === null) {
    const onPath = (process.env["PATH"] ?? "").split(delimiter).find(hasBoth);
    if (onPath === undefined) throw noBinaries();
    return check(onPath, identity);
  }
  return check(join(packaged, "bin"), identity).catch(async (error: unknown) => {
    if (process.platform === "win32") throw error;
    // A folder that only its owner may enter, or links that the installation did not make because scripts were forbidden.
    const copy = join(directory, "native");
    await copyTree(packaged, copy, identity);
    await makeLinks(packaged, copy);
    return check(join(copy, "bin"), identity);
  });
}

async function check(binDir: string, identity: Identity): Promise<Binaries> {
  const program = join(binDir, `postgres${EXE}`);
  try {
    const { stdout } = await run(program, ["--version"], { ...identity, cwd: "/" });
    const [, version = "", major] = /\(PostgreSQL\) ((\d+)\S*)/.exec(stdout) ?? [];
    return { binDir, version, majorVersion: Number(major) };
  } catch (cause) {
    throw embeddedError(`"${program}" does not run; ${remedyOf(cause)}`, { cause });
  }
}

function remedyOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : "";
  if (code === "ENOENT") return "pass a 'binDir' with the programs initdb and postgres";
  if (code === "EACCES") return "the user a server runs as may not reach it: put the programs where everybody may read";
  return "see the cause; pass a 'binDir' with programs for this system";
}

/** Directories are made anew and files are linked where the disk is the same, so that this takes little time. */
async function copyTree(from: string, to: string, identity: Identity): Promise<void> {
  await mkdir(to);
  // So that it can be removed by whoever the server runs as.
  if (identity.uid !== undefined) await chown(to, identity.uid, identity.gid ?? identity.uid);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target, identity);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE));
  }
}

/** Makes the links that cannot be part of a package: it lists them. */
async function makeLinks(from: string, to: string): Promise<void> {
  const list = join(from, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links: unknown = JSON.parse(await readFile(list, "utf8"));
  if (!Array.isArray(links)) return;
  for (const { source, target } of links.filter(isLink)) {
    const place = join(to, "..", target);
    await symlink(relative(dirname(target), source), place).catch(() => {}); // it is there already
  }
}

function isLink(value: unknown): value is { source: string; target: string } {
  if (typeof value !== "object" || value === null || !("source" in value && "target" in value)) return false;
  return typeof value.source === "string" && typeof value.target === "string";
}
