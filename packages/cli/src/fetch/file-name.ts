// Makes a safe file name of a URL. Whatever the URL says, the name stays inside its directory, on every system.

import { safeFileName } from "@meanwhile/http";

/** The last segment of the URL's path, made safe; `index` if there is none. */
export function fileNameOf(url: URL): string {
  const path = url.pathname;
  let end = path.length;
  while (end > 0 && path.charAt(end - 1) === "/") end -= 1;
  const start = end === 0 ? 0 : path.lastIndexOf("/", end - 1) + 1;
  return safeFileName(decodeSegment(path.slice(start, end)));
}

/** `name.txt` as `name-1.txt`. */
export function withSuffix(name: string, number: number): string {
  if (number === 0) return name;
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? `${name}-${number}` : `${name.slice(0, dot)}-${number}${name.slice(dot)}`;
}

/** A name that is none of those under which unfinished files stand. */
export function finalName(name: string): string {
  return name.replace(/(\.part)(\.json)?$/i, "$1_$2");
}

/** Percent-decoded, or as it is if that gives no text. */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
