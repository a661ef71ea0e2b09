// Expands `[1-9]`, `[01-10]`, `[a-f]` and `{one,two}` in a URL, if asked to: `--glob`.

import { usageError } from "../errors.ts";

/** More is a mistake, or a matter for a list. */
const MAX_URLS = 100_000;

const RANGE = /^(?:(\d{1,9})-(\d{1,9})|([a-z])-([a-z])|([A-Z])-([A-Z]))$/;

/**
 * All URLs that the pattern stands for, the last group changing first. A backslash takes the meaning of a bracket.
 *
 * @throws {@link CommandError} with exit code 2 for a group that is none, and for too many URLs
 */
export function expandGlob(pattern: string): string[] {
  let texts = [""];
  for (const choices of groupsOf(pattern)) {
    if (texts.length * choices.length > MAX_URLS) {
      throw usageError(`--glob makes more than ${MAX_URLS} URLs of "${pattern}"; use a list`);
    }
    texts = texts.flatMap((start) => choices.map((choice) => start + choice));
  }
  return texts;
}

function groupsOf(pattern: string): string[][] {
  const groups: string[][] = [];
  for (const [token] of pattern.matchAll(/\\[[\]{}]|\[[^\]]*\]?|\{[^}]*\}?|[^[{\\]+|\\/g)) {
    if (token.startsWith("[")) groups.push(rangeOf(token));
    else if (token.startsWith("{")) groups.push(listOf(token));
    else groups.push([/^\\./.test(token) ? token.slice(1) : token]);
  }
  return groups;
}

function rangeOf(token: string): string[] {
  if (/^\[[0-9a-f.]*:[0-9a-f:.]*\]$/i.test(token)) return [token]; // the address of a host
  const [, first, last, ...letters] = RANGE.exec(token.slice(1, -1)) ?? [];
  const [from, to] = letters.filter((letter) => letter !== undefined).map((letter) => letter.charCodeAt(0));
  if (from !== undefined && to !== undefined) return numbers(from, to, token).map((code) => String.fromCharCode(code));
  const width = first?.startsWith("0") === true ? first.length : 1;
  return numbers(Number(first), Number(last), token).map((number) => String(number).padStart(width, "0"));
}

function numbers(from: number, to: number, token: string): number[] {
  if (!(to >= from)) throw usageError(`--glob does not understand "${token}"; pass a range like [1-9] or [a-f]`);
  if (to - from >= MAX_URLS) throw usageError(`--glob makes more than ${MAX_URLS} URLs of "${token}"; use a list`);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function listOf(token: string): string[] {
  if (!token.endsWith("}")) throw usageError(`--glob does not understand "${token}"; pass a list like {one,two}`);
  if (token.startsWith("{{")) return [token]; // the place of a secret; its second brace follows as text
  return token.slice(1, -1).split(",");
}
