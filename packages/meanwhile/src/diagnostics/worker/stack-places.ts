// The places in the text of a stack, without those of Node and of meanwhile.

import type { Place } from "../protocol.ts";
import { pathOf } from "./source-maps.ts";

const FRAME = /^\s*at (?:async )?(?:(.*) \()?(.+?):(\d+):(\d+)\)?$/u;

/** What is ours: the folder above this one's. */
const OURS: string = new URL("../../", import.meta.url).href;

/** Where the other packages stand if they are not installed, but developed; `""` if they are. */
const WORKSPACE: string = /^.*\/packages\/(?=meanwhile\/)/u.exec(OURS)?.[0] ?? "";

/** What loads a program: the load hook with its runtime, and the main module of `meanwhile run`. */
const LOADER = /^(?:instrument\/(?:src|dist)\/|cli\/(?:src|dist)\/program\.)/u;

/** What the load hook is built on. */
const PARSER = /\/node_modules\/(?:oxc-parser|@oxc-parser\/[^/]+|magic-string)\//u;

/** Whether a file is one of meanwhile: of the core, or of what loads a program. */
export function isOurs(url: string): boolean {
  return url.startsWith(OURS) || isLoader(url);
}

/** Whether it is one of those of meanwhile that load a program. */
function isLoader(url: string): boolean {
  const installed = url.lastIndexOf("/@meanwhile/");
  if (installed !== -1) return LOADER.test(url.slice(installed + "/@meanwhile/".length));
  return WORKSPACE !== "" && url.startsWith(WORKSPACE) && LOADER.test(url.slice(WORKSPACE.length));
}

/** Whether a file is one of Node that finds, reads and compiles modules. */
export function loads(url: string): boolean {
  return url.startsWith("node:internal/modules/");
}

/** Machine code: of a library of the program, or of Node, which reads modules with it. */
const WASM = "wasm://";

/** Whether it is there only while modules are loaded, as long as nothing of the program is. */
export function isOfLoading(url: string): boolean {
  return loads(url) || url.startsWith(WASM) || isLoader(url);
}

/** Which of the frames with these files are the program's, the innermost first. */
export function framesOfProgram(urls: readonly string[]): number[] {
  const frames: number[] = [];
  // From the outermost on: what the load hook calls is not the program's.
  let isInHook = false;
  for (const [index, url] of [...urls.entries()].toReversed()) {
    isInHook = isLoader(url) || (isInHook && PARSER.test(url));
    if (!isInHook && !url.startsWith("node:") && !url.startsWith(WASM) && !isOurs(url)) frames.push(index);
  }
  return frames.toReversed();
}

/** The places of the program, the innermost first. */
export function stackPlaces(stack: string): Place[] {
  return stack.split("\n").flatMap((text) => {
    const [, name = "", url = "", line, column] = FRAME.exec(text) ?? [];
    if (line === undefined || url.startsWith("node:") || isOurs(url)) return [];
    return [{ function: name, file: pathOf(url), line: Number(line), column: Number(column) }];
  });
}
