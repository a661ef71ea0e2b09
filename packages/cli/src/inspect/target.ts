// Which program a command is about: found by its socket.

import { statSync } from "node:fs";

import { type ListedProgram, listPrograms } from "meanwhile/diagnostics";

import { CommandError, EXIT, usageError } from "../errors.ts";

const TARGET = /^([1-9]\d{0,9})(?:-([1-9]\d{0,9}))?$/;

/**
 * The program with this pid; `4242-2` is the worker thread 2 of the program 4242.
 *
 * @throws {@link CommandError} with exit code 2 if it is no pid, with 3 if that program cannot be asked
 */
export function findProgram(text: string): ListedProgram {
  const [, pid, thread = "0"] = TARGET.exec(text) ?? [];
  if (pid === undefined)
    throw usageError(`"${text}" is no process id; meanwhile ps lists the programs that can be asked`);
  // Only of a folder that is the user's alone: in another one somebody else might answer.
  const found = listPrograms().find((program) => `${program.pid}-${program.thread}` === `${pid}-${thread}`);
  if (found === undefined) throw cannotBeAsked(text, Number(pid));
  return found;
}

/** Whether the name is that of a file, and of no program. */
export function isFile(name: string): boolean {
  return !TARGET.test(name) || (statSync(name, { throwIfNoEntry: false })?.isFile() ?? false);
}

/** Nobody listens at the socket of this process. */
export function cannotBeAsked(text: string, pid: number): CommandError {
  const why = isRunning(pid)
    ? "its diagnostics are not on; start it with meanwhile run, or call startDiagnostics() in it"
    : "there is no such process; meanwhile ps lists the programs that can be asked";
  return new CommandError(EXIT.notStarted, `cannot ask ${text}: ${why}`);
}

/** How the command line calls a program. */
export function nameOf({ pid, thread }: ListedProgram): string {
  return thread === 0 ? String(pid) : `${pid}-${thread}`;
}

/** Whether there is such a process. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
