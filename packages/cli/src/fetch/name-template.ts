// Names of files by a template: `--name '{host}/{path}'`. Whatever is filled in, every part of the path is made safe by
// itself, so that the result stays inside of its directory.

import { createHash } from "node:crypto";

import { safeFileName } from "@meanwhile/http";

import { usageError } from "../errors.ts";
import { decodeSegment, fileNameOf } from "./file-name.ts";

/** What a name is made of. */
export interface NameParts {
  readonly url: URL;
  readonly index: number;
  /** What the list calls the URL. */
  readonly id?: string | undefined;
}

/** Deeper paths are cut: systems have a limit of their own, and end with an error. */
const MAX_SEGMENTS = 32;
const MAX_LENGTH = 1_000;

const FIELDS: Readonly<Record<string, (parts: NameParts) => string[]>> = {
  host: ({ url }) => [url.host],
  path: ({ url }) => segmentsOf(url),
  name: ({ url }) => [fileNameOf(url)],
  index: ({ index }) => [String(index)],
  id: ({ id, index }) => [id ?? String(index)],
  hash: ({ url }) => [createHash("sha256").update(url.href).digest("hex").slice(0, 16)],
  ext: ({ url }) => [/\.([\w-]{1,10})$/.exec(fileNameOf(url))?.[1] ?? "bin"],
  date: () => [new Date().toISOString().slice(0, 10)],
};

/** @throws {@link CommandError} with exit code 2 for a template that cannot give names */
export function checkTemplate(template: string): void {
  const known = Object.keys(FIELDS).map((name) => `{${name}}`);
  if (template.trim() === "" || template.length > MAX_LENGTH) {
    throw usageError(`--name needs a template of at most ${MAX_LENGTH} characters`);
  }
  for (const [found] of template.matchAll(/\{[^{}]*\}?|\}/g)) {
    if (!known.includes(found)) throw usageError(`--name has "${found}"; there are ${known.join(" ")}`);
  }
}

/** The path below the directory, in safe parts; at least one. */
export function fillTemplate(template: string, parts: NameParts): string[] {
  // A slash of the template parts, one that comes out of a field does not, except those of {path}.
  const segments = template.split("/").flatMap((piece) => fillPiece(piece, parts));
  const safe = segments.filter((segment) => !/^[.\s]*$/.test(segment)).map(safeFileName);
  if (safe.length === 0) return [safeFileName("")];
  return safe.length <= MAX_SEGMENTS ? safe : [...safe.slice(0, MAX_SEGMENTS - 1), safe.at(-1) ?? ""];
}

function fillPiece(piece: string, parts: NameParts): string[] {
  const segments = [""];
  for (const token of piece.split(/(\{\w+\})/)) {
    const field = token.startsWith("{") ? FIELDS[token.slice(1, -1)] : undefined;
    const [first = "", ...rest] = field === undefined ? [token] : field(parts);
    segments.push((segments.pop() ?? "") + first, ...rest);
  }
  return segments;
}

function segmentsOf(url: URL): string[] {
  const segments = url.pathname.split("/").filter((segment) => segment !== "");
  const isDirectory = segments.length === 0 || url.pathname.endsWith("/");
  return [...segments.map(decodeSegment), ...(isDirectory ? ["index"] : [])];
}
