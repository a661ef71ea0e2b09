// `meanwhile:off`, in a comment: what follows it is left alone, or with `file` the whole file.

import type { Comment } from "oxc-parser";

const MARK = "meanwhile:off";
const OFF = /^\s*meanwhile:off(\s+file)?\b/;

/** Where what is left alone begins; null if that is the whole file. `commentsOf` is asked only if there is any mark. */
export function optOutsOf(code: string, firstToken: number, commentsOf: () => Comment[]): ReadonlySet<number> | null {
  const starts = new Set<number>();
  if (!code.includes(MARK)) return starts;
  const comments = commentsOf();
  for (const [index, { value, end }] of comments.entries()) {
    const match = OFF.exec(value);
    if (match === null) continue;
    if (match[1] === undefined) starts.add(nextToken(code, end, comments, index + 1));
    else if (end <= firstToken) return null;
  }
  return starts;
}

function nextToken(code: string, from: number, comments: ReadonlyArray<Comment>, next: number): number {
  const at = from + (/\S/.exec(code.slice(from))?.index ?? 0);
  const comment = comments[next];
  return comment?.start === at ? nextToken(code, comment.end, comments, next + 1) : at;
}
