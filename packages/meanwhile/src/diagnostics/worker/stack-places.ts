// The places in the text of a stack, without those of Node and of meanwhile.

import type { Place } from "../protocol.ts";
import { pathOf } from "./source-maps.ts";

const FRAME = /^\s*at (?:async )?(?:(.*) \()?(.+?):(\d+):(\d+)\)?$/u;

/** What is ours: the folder above this one's. */
const OURS: string = new URL("../../", import.meta.url).href;

/** Whether a file is one of meanwhile. */
export function isOurs(url: string): boolean {
  return url.startsWith(OURS);
}

/** The places of the program, the innermost first. */
export function stackPlaces(stack: string): Place[] {
  return stack.split("\n").flatMap((text) => {
    const [, name = "", url = "", line, column] = FRAME.exec(text) ?? [];
    if (line === undefined || url.startsWith("node:") || isOurs(url)) return [];
    return [{ function: name, file: pathOf(url), line: Number(line), column: Number(column) }];
  });
}
