// The version of this package, from its manifest: the one place where it is written.

import { readFileSync } from "node:fs";

/** The version of `@meanwhile/cli`. */
export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const isManifest = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return isManifest ? String(manifest.version) : "unknown";
}
