// The files of the page, as the build has made them; read once, so that no path of a request ever reaches the disk.

import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { InspectorError } from "../errors.ts";

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Where the build puts the page: the same distance from `src/viewer` and from `dist/viewer`. */
const BUILT = fileURLToPath(new URL("../../page/dist", import.meta.url));

/**
 * Every file of the page by the path of its URL.
 *
 * @throws {@link InspectorError} `MW_ERR_INSPECTOR_NOT_BUILT` if it was not built
 */
export function readPage(folder: string = BUILT): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of namesIn(folder)) {
    const type = TYPES[extname(name)];
    if (type !== undefined) files.set(`/${name}`, { type, body: readFileSync(join(folder, name)) });
  }
  const index = files.get("/index.html");
  if (index !== undefined) return files.set("/", index);
  throw new InspectorError(
    "MW_ERR_INSPECTOR_NOT_BUILT",
    `Cannot show the page: there is none in ${folder}; run npm run build -w @meanwhile/inspector`,
  );
}

function namesIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return entries.map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll("\\", "/"),
    );
  } catch {
    return []; // there is no such folder
  }
}
