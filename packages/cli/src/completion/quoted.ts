// Text as one word of a shell.

/** In single quotes, as zsh and fish take them. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
