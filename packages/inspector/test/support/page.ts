// Builds the page, if that was not done since it was changed, so that a test shows what the sources say.

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "vite";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
const BUILT = join(PACKAGE, "page/dist/index.html");

/** Builds it into its usual place. */
export async function buildPage(): Promise<void> {
  const changed = Math.max(...["page/src", "src/timeline", "src/export"].map((folder) => newestIn(join(PACKAGE, folder))));
  if (existsSync(BUILT) && statSync(BUILT).mtimeMs >= changed) return;
  await build({ root: join(PACKAGE, "page"), configFile: join(PACKAGE, "page/vite.config.ts"), logLevel: "error" });
}

function newestIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(...files.map(({ parentPath, name }) => statSync(join(parentPath, name)).mtimeMs));
}
