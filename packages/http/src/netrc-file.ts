// Reads the words of a netrc file.

/** An entry of the file. */
export interface NetrcEntry {
  /** The host; empty for the default. */
  readonly machine: string;
  login?: string | undefined;
  password?: string | undefined;
}

/** Reads a netrc file in one pass: words, of which some tell what the next one is. What is not known is skipped. */
export function parseNetrc(text: string): NetrcEntry[] {
  const entries: NetrcEntry[] = [];
  let isMacro = false;
  let key = "";
  for (const line of text.split("\n")) {
    const words = wordsOf(line);
    // A macro goes on to the next empty line, and may have any word in it.
    if (isMacro) isMacro = words.length > 0;
    else {
      for (const word of words) {
        if (key === "" && word === "macdef") {
          isMacro = true;
          break;
        }
        key = key === "" ? keyOf(word, entries) : valueOf(key, word, entries);
      }
    }
  }
  return entries;
}

/** What the word announces; empty for nothing. */
function keyOf(word: string, entries: NetrcEntry[]): string {
  if (word === "default") entries.push({ machine: "" });
  return /^(?:machine|login|password|account)$/.test(word) ? word : "";
}

function valueOf(key: string, word: string, entries: NetrcEntry[]): "" {
  const entry = entries.at(-1);
  if (key === "machine") entries.push({ machine: word.toLowerCase() });
  else if (entry !== undefined && key === "login") entry.login = word;
  else if (entry !== undefined && key === "password") entry.password = word;
  return "";
}

/** The words of a line, some of them in quotes; one that begins with # ends it, unless it is a value. */
function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (const [word, quoted] of line.matchAll(/"((?:[^"\\]|\\.)*)"|\S+/g)) {
    if (word.startsWith("#") && words.at(-1) !== "password" && words.at(-1) !== "login") break;
    words.push(quoted === undefined ? word : quoted.replaceAll(/\\(.)/g, "$1"));
  }
  return words;
}
