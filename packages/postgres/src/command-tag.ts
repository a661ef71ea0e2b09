// What the server says when a command is done: `INSERT 0 5`, `CREATE TABLE`.

/** What a command has done. */
export interface CommandResult {
  /** Its name, like `INSERT` or `CREATE TABLE`; empty for a statement without any text. */
  readonly command: string;
  /** How many rows it has touched, or returned; 0 for commands that do not count. */
  readonly rowCount: number;
}

/** The last number of a tag is the count; what is before the first is the command. */
export function parseTag(tag: string): CommandResult {
  const [, command = "", count = "0"] = /^(\D*?)(?: \d+)*?(?: (\d+))?$/.exec(tag) ?? [];
  return { command, rowCount: Number(count) };
}
