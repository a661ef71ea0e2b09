// What a command cannot do: one clear line on stderr and an exit code.

/** The documented exit codes of every command. */
export const EXIT = {
  ok: 0,
  /** At least one part of the work failed. */
  failed: 1,
  usage: 2,
  /** Input or output could not be opened. */
  notStarted: 3,
  /** Stopped by a limit of size or disk. */
  safetyLimit: 4,
  /** Stopped because too much failed. */
  tooManyErrors: 5,
  /** Stopped because its time was over, as `timeout` of coreutils does it. */
  deadline: 124,
  interrupted: 130,
  /** What killed by SIGPIPE looks like: nobody reads our output any more. */
  brokenPipe: 141,
  terminated: 143,
} as const;

/** Ends a command with a line on stderr. The exit code is the contract; the text may improve. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** One of {@link EXIT}. */
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The command line says something that cannot be done. */
export function usageError(message: string): CommandError {
  return new CommandError(EXIT.usage, message);
}

/** Input or output cannot be used. `cause` is the error of the operating system. */
export function startError(what: string, cause: unknown): CommandError {
  return new CommandError(EXIT.notStarted, `${what}: ${reasonOf(cause)}`, { cause });
}

/** What is wrong with a file, found out here and not by the operating system; `code` as that would have it. */
export class FileProblem extends Error {
  override readonly name = "FileProblem";
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EEXIST: "there is a file of that name",
  EISDIR: "it is a directory",
  EMFILE: "too many open files",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on the device",
  ENOTDIR: "a part of the path is not a directory",
  EPERM: "operation not permitted",
  EROFS: "the file system is read-only",
};

/** The reason in words, without the path and the system call that Node puts into the message. */
export function reasonOf(error: unknown): string {
  const code = systemCodeOf(error);
  if (code !== undefined) return REASONS[code] ?? code;
  return error instanceof Error ? error.message : String(error);
}

/** The code of an error of the operating system, like `EPIPE`. */
export function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}
