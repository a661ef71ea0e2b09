// Whether a statement may leave something behind in the session, so that the next user of the connection would find it.
//
// Told by its words, and rather once too often: a needless reset costs one round trip. Only what a function does inside
// is not seen; for that there is `reset: "always"`.

/** What can change a session, and how it is undone, in one round trip. Like DISCARD ALL, but plans and statements stay. */
export const RESET_SQL: string = [
  "close all; set session authorization default; reset all; unlisten *",
  "select pg_advisory_unlock_all(); discard temp; discard sequences",
].join("; ");

// Where a statement begins, without comments.
const BEGIN = String.raw`(?:^|;)\s*`;
const COMMANDS = new RegExp(
  String.raw`${BEGIN}(?:set\b(?!\s+(?:local|transaction|constraints)\b)|(?:reset|listen|declare|prepare|load|do|call|discard)\b)`,
  "i",
);
const WORDS =
  /\b(?:set_config|setseed|nextval|setval|pg_(?:try_)?advisory_lock\w*|dblink_connect\w*|pg_temp\w*|pg_settings|(?:create|replace|local|global|into)\s+temp(?:orary)?)\b/i;
/** What a scan for comments has to see; the rest of a text cannot begin or end one. */
const MARKS = /\/\*|--[^\n]*|\be'(?:[^'\\]|\\.|'')*'|'[^']*'|"[^"]*"|\$(?:[a-z_]\w*)?\$/gis;
const COMMENT_MARKS = /\/\*|\*\//g;

/** Texts are remembered: programs have few, and use them again and again. */
const MOST_REMEMBERED = 1_000;
const remembered = new Map<string, boolean>();

/** Whether the session may be another one after the statement. */
export function changesSession(text: string): boolean {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const hasComments = text.includes("/*") || text.includes("--");
  const bare = hasComments ? withoutComments(text) : text;
  const answer = COMMANDS.test(bare) || WORDS.test(bare) || (hasComments && WORDS.test(text));
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  remembered.set(text, answer);
  return answer;
}

/** Whether a text begins with COPY. */
export function beginsCopy(text: string): boolean {
  return /copy/i.test(text) && /^\s*copy\b/i.test(withoutComments(text));
}

/** A text with a space for each comment. What is in quotes is none. */
export function withoutComments(text: string): string {
  let bare = "";
  let from = 0;
  MARKS.lastIndex = 0;
  for (let found = MARKS.exec(text); found !== null; found = MARKS.exec(text)) {
    const [mark] = found;
    const end = MARKS.lastIndex;
    if (mark === "/*" || mark.startsWith("--")) {
      bare += `${text.slice(from, found.index)} `;
      from = mark === "/*" ? endOfComment(text, end) : end;
      MARKS.lastIndex = from;
    } else if (mark.startsWith("$")) {
      const close = text.indexOf(mark, end);
      MARKS.lastIndex = close === -1 ? text.length : close + mark.length;
    }
  }
  return bare + text.slice(from);
}

/** They may be nested. */
function endOfComment(text: string, start: number): number {
  COMMENT_MARKS.lastIndex = start;
  for (let depth = 1; depth > 0;) {
    const found = COMMENT_MARKS.exec(text);
    if (found === null) return text.length;
    depth += found[0] === "/*" ? 1 : -1;
  }
  return COMMENT_MARKS.lastIndex;
}
