// Reads the code that is shown from the file that is running, so that what is shown is what runs.

import { existsSync, readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The text of the functions with these names, in their order in the file, without comments to the linter. They must be
 * declared at the start of a line and end with the first brace at the start of a line.
 *
 * @param moduleUrl - `import.meta.url` of the file
 */
export function codeOf(moduleUrl: string, names: readonly string[]): string {
  const text = readFileSync(sourcePathOf(moduleUrl), "utf8");
  const declared = text.matchAll(/^(?:export )?((?:(?:async )?function|const) (\w+)[^\n;]*\{$[^]*?^\}\)?;?)$/gm);
  const wanted = Array.from(declared).filter(([, , name = ""]) => names.includes(name));
  return wanted.map(([, code = ""]) => code.replaceAll(/^ *\/\/ oxlint-disable.*\n/gm, "")).join("\n\n");
}

/** Where the reader finds the file: a path from here, if that is shorter. */
export function whereIs(moduleUrl: string): string {
  const path = sourcePathOf(moduleUrl);
  const fromHere = relative(process.cwd(), path);
  return fromHere.length < path.length ? fromHere : path;
}

/** A built file is read as the source it was built from, which is shipped beside it. */
function sourcePathOf(moduleUrl: string): string {
  const path = fileURLToPath(moduleUrl);
  const source = path.replace(/\bdist(?=[/\\]tour[/\\])/, "src").replace(/\.js$/, ".ts");
  return existsSync(source) ? source : path;
}
