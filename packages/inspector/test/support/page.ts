// Builds the page, if that was not done since it was changed, so that a test shows what the sources say.

import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "vite";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
const BUILT = join(PACKAGE, "page/dist");
const INDEX = join(BUILT, "index.html");

/** Builds it into its usual place. Several test files may do that at once: it is there as a whole, or the one before is. */
export async function buildPage(): Promise<void> {
  const folders = ["page/src", "src/timeline", "src/export"].map((folder) => newestIn(join(PACKAGE, folder)));
  if (existsSync(INDEX) && statSync(INDEX).mtimeMs >= Math.max(...folders)) return;
  const fresh = join(PACKAGE, `.fresh-${process.pid}`);
  const old = join(PACKAGE, `.old-${process.pid}`);
  const configFile = join(PACKAGE, "page/vite.config.ts");
  await build({ configFile, logLevel: "error", build: { outDir: fresh } });
  if (existsSync(BUILT)) renameSync(BUILT, old);
  renameSync(fresh, BUILT);
  rmSync(old, { recursive: true, force: true });
}

function newestIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(...files.map(({ parentPath, name }) => statSync(join(parentPath, name)).mtimeMs));
}
