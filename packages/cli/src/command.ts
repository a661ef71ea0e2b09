// What a command of the `meanwhile` command line is.

/** One command: `meanwhile <name> …`. */
export interface Command {
  /** What is shown in `meanwhile --help`. */
  readonly summary: string;
  /** Loaded only when the command is used: starting is part of the work. */
  readonly load: () => Promise<RunCommand>;
}

/**
 * Runs a command with the arguments after its name and returns its exit code. Throws `CommandError` for what the user
 * has to mend.
 */
type RunCommand = (args: readonly string[]) => Promise<number>;
