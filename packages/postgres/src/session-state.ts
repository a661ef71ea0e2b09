// Whether a statement may leave something behind in the session, so that the next user of the connection would find it.
//
// Told by its words, and rather once too often: a needless reset costs one round trip. Only what a function does inside
// is not seen; for that there is `reset: "always"`.

/** What can change a session, and how it is undone, in one round trip. Like DISCARD ALL, but plans and statements stay. */
export const RESET_SQL: string = [
  "close all; set session authorization default; reset all; unlisten *",
  "select pg_advisory_unlock_all(); discard temp; discard sequences",
].join("; ");

// Where a statement begins, after blanks and comments.
const BEGIN = String.raw`(?:^|;)(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*`;
const COMMANDS = new RegExp(
  String.raw`${BEGIN}(?:set\b(?!\s+(?:local|transaction|constraints)\b)|(?:reset|listen|declare|prepare|load|do|call|discard)\b)`,
  "i",
);
const WORDS =
  /\b(?:set_config|setseed|pg_(?:try_)?advisory_lock\w*|dblink_connect\w*|pg_temp\w*|(?:create|local|global|into)\s+temp(?:orary)?)\b/i;

/** Texts are remembered: programs have few, and use them again and again. */
const MOST_REMEMBERED = 1_000;
const remembered = new Map<string, boolean>();

/** Whether the session may be another one after the statement. */
export function changesSession(text: string): boolean {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const answer = COMMANDS.test(text) || WORDS.test(text);
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  remembered.set(text, answer);
  return answer;
}
