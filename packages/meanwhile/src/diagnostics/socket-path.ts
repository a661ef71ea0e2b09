// Where the socket of a program under diagnostics is: in a folder that only its user can look into.

import { lstatSync, mkdirSync, readdirSync, unlinkSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { threadId } from "node:worker_threads";

import { UsageError } from "../errors.ts";

/** A program that may be asked: its socket is there. It may have been killed and not answer. */
export interface ListedProgram {
  /** The process. */
  readonly pid: number;
  /** The worker thread of the program that is recorded; 0 for its main thread. */
  readonly thread: number;
  /** What to connect to. */
  readonly socket: string;
}

const isWindows = process.platform === "win32";

/**
 * The folder with the sockets of this user's programs: `$XDG_RUNTIME_DIR/meanwhile`, or a private folder in the
 * temporary one. It need not exist. On Windows the prefix of the named pipes.
 */
export function socketFolder(): string {
  if (isWindows) return "\\\\.\\pipe\\";
  const runtime = process.env["XDG_RUNTIME_DIR"];
  // Relative ones are to be ignored: https://specifications.freedesktop.org/basedir-spec/latest/
  if (runtime !== undefined && isAbsolute(runtime)) return join(runtime, "meanwhile");
  return join(tmpdir(), `meanwhile-${userInfo().uid}`);
}

/** The socket of a program, and of a worker thread of it; 0 is the main thread. */
export function socketPathOf(pid: number, thread = 0): string {
  const name = thread === 0 ? String(pid) : `${pid}-${thread}`;
  return isWindows ? `${socketFolder()}meanwhile-${name}` : join(socketFolder(), `${name}.sock`);
}

const SOCKET = /^(?:meanwhile-)?([1-9]\d*)(?:-([1-9]\d*))?(?:\.sock)?$/;

/** The programs of this user that have a socket, by pid. One that was killed leaves its socket behind. */
export function listPrograms(): ListedProgram[] {
  const found = namesIn(socketFolder()).flatMap((name) => {
    if (isWindows !== name.startsWith("meanwhile-")) return [];
    const [, pid, thread] = SOCKET.exec(name) ?? [];
    if (pid === undefined) return [];
    return [{ pid: Number(pid), thread: Number(thread ?? 0), socket: socketPathOf(Number(pid), Number(thread ?? 0)) }];
  });
  return found.toSorted((a, b) => a.pid - b.pid || a.thread - b.thread);
}

function namesIn(folder: string): string[] {
  try {
    return isWindows || isPrivate(folder) ? readdirSync(folder) : [];
  } catch {
    return []; // nobody has made it yet
  }
}

/** Whether the folder is one, is the user's, and nobody else may look into it. */
function isPrivate(folder: string): boolean {
  // Not followed: somebody else may have put a link there.
  const found = lstatSync(folder);
  return found.isDirectory() && found.uid === userInfo().uid && (found.mode & 0o077) === 0;
}

/**
 * Makes the folder of the sockets, for this user alone, and takes away the sockets of programs that have ended. The folder
 * that it is in has to be there.
 *
 * @returns why there can be no socket in it; null if there can be
 * @throws {@link UsageError} `MW_ERR_SOCKET_FOLDER` if somebody else could look into it
 */
export function makeSocketFolder(): string | null {
  if (isWindows) return null;
  const folder = socketFolder();
  const problem = problemOfLength(folder) ?? problemOfMaking(folder);
  if (problem !== null) return problem;
  if (!isPrivate(folder)) {
    throw new UsageError(
      "MW_ERR_SOCKET_FOLDER",
      `Cannot listen in ${folder}: it is not a folder of this user alone; remove it, or set XDG_RUNTIME_DIR to one that is`,
    );
  }
  for (const { pid, socket } of listPrograms()) if (!isRunning(pid)) removeSocketAt(socket);
  return null;
}

/** The longest path a socket can have: 108 bytes with the 0 at its end, 104 on macOS and BSD. */
const MOST_BYTES = process.platform === "linux" ? 107 : 103;

function problemOfLength(folder: string): string | null {
  const bytes = Buffer.byteLength(socketPathOf(process.pid, threadId));
  if (bytes <= MOST_BYTES) return null;
  return `Cannot listen in ${folder}: the path of the socket would have ${bytes} bytes, and ${MOST_BYTES} are possible; set XDG_RUNTIME_DIR to a folder with a shorter path`;
}

// Not recursive: a folder for what runs is made by the system, and Node tries for ever where none can be made.
function problemOfMaking(folder: string): string | null {
  try {
    mkdirSync(folder, { mode: 0o700 });
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return null;
    const why = code === "ENOENT" ? `${dirname(folder)} is not there, or takes no folders` : message;
    return `Cannot make ${folder}: ${why}; set XDG_RUNTIME_DIR to a folder that is there`;
  }
}

/** Takes away a socket, if it is there and can be. */
export function removeSocketAt(socket: string): void {
  if (isWindows) return;
  try {
    unlinkSync(socket);
  } catch {
    // gone, or never made
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
