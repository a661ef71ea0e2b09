// Which line of the source a line that runs comes from: for scripts that name a source map.

import { readFileSync, statSync } from "node:fs";
import type { Debugger } from "node:inspector";
import { SourceMap, type SourceMapPayload } from "node:module";
import { fileURLToPath } from "node:url";

import type { Place } from "../protocol.ts";

/** A larger map is not read: it would take as long as what is being looked at. */
const MOST_BYTES = 32 * 1_024 * 1_024;

interface Script {
  readonly url: string;
  readonly sourceMapURL: string;
}

/** The scripts of a program, as the inspector tells of them. */
export class SourceMaps {
  readonly #scripts = new Map<string, Script>();

  /** Notes a script. */
  add({ scriptId, url, sourceMapURL = "" }: Debugger.ScriptParsedEventDataType): void {
    this.#scripts.set(scriptId, { url, sourceMapURL });
  }

  /** The URL of a script; `""` if it has none. */
  urlOf(scriptId: string): string {
    return this.#scripts.get(scriptId)?.url ?? "";
  }

  /** Where a frame stands in its source. */
  placeOf({ functionName, location, url }: Debugger.CallFrame): Place {
    const script = this.#scripts.get(location.scriptId);
    const file = url === "" ? (script?.url ?? "") : url;
    const line = location.lineNumber;
    const column = location.columnNumber ?? 0;
    const found = script === undefined ? null : originOf({ ...script, url: file }, line, column);
    // A function without a name is called by where it stands: in code of ours, if it is instrumented.
    const name = functionName.startsWith("__mw") ? "" : functionName;
    return found === null
      ? { function: name, file: pathOf(file), line: line + 1, column: column + 1 }
      : { function: name, ...found };
  }
}

/** Lines and columns count from 0 going in, from 1 coming out. */
function originOf({ url, sourceMapURL }: Script, line: number, column: number): Omit<Place, "function"> | null {
  if (sourceMapURL === "") return null;
  try {
    const payload = readMap(url, sourceMapURL);
    if (payload === null) return null;
    const entry = new SourceMap(payload).findEntry(line, column);
    if (!("originalSource" in entry) || entry.originalSource === undefined) return null;
    // What the map calls its sources is relative to it.
    const source = new URL(entry.originalSource, sourceMapURL.startsWith("data:") ? url : new URL(sourceMapURL, url));
    return { file: pathOf(source.href), line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  } catch {
    return null; // no map, or none that can be read: the line that runs is better than nothing
  }
}

function readMap(url: string, sourceMapURL: string): SourceMapPayload | null {
  const DATA = /^data:application\/json[^,]*?(;base64)?,(.*)$/su;
  const [, base64, data] = DATA.exec(sourceMapURL) ?? [];
  if (data !== undefined) {
    return JSON.parse(base64 === undefined ? decodeURIComponent(data) : Buffer.from(data, "base64").toString());
  }
  const file = fileURLToPath(new URL(sourceMapURL, url));
  if (statSync(file).size > MOST_BYTES) return null;
  return JSON.parse(readFileSync(file, "utf8"));
}

/** A path for a file URL, anything else as it is. */
export function pathOf(url: string): string {
  if (!url.startsWith("file://")) return url;
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}
