// Runs a server that ends when nobody holds its lifeline any more, however its owners end: by themselves, by a signal, or
// killed. No hook at the exit of a process could promise that.
//
// A shell is the parent of the server and reads the lifeline. Whoever else wants to hold it writes a name into it, and is
// sure of the server once the shell has answered with a file of that name. At the end of the lifeline the shell tells the
// server to end, and removes the private directory when it has.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { chown } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import type { Identity } from "./embedded-identity.ts";

const run = promisify(execFile);

/** Where others find the lifeline of a server, in its private directory. */
export const LIFELINE = "lifeline";
/** What the file is called that answers a name in the lifeline: this, and the name. */
export const ANSWER = "held-by-";

// 3 is the lifeline, which must be held open by nobody down here. A server that does not end in time is told again, and
// then loses what a crash loses: nothing that was promised. The loop is there so that nothing sleeps on when it has ended.
const SUPERVISE = `
directory=$1
shift
exec 3<&0
"$@" 3<&- </dev/null >>"$directory/log" 2>&1 &
server=$!
(
  while read -r name; do : >"$directory/${ANSWER}$name"; done
  kill -INT "$server"
  for tenth in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do sleep 0.1; done
  kill -QUIT "$server"
) <&3 >/dev/null &
reader=$!
exec 3<&- </dev/null
wait "$server"
status=$?
kill "$reader" 2>/dev/null
[ "$status" -eq 0 ] || cat "$directory/log"
rm -rf "$directory"
exit "$status"
`;

/** How a server is run. */
export interface SuperviseOptions {
  readonly directory: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly identity: Identity;
  /** Whether other processes may hold it too. */
  readonly shared: boolean;
}

/** A server that runs, as its owner sees it. */
export interface Supervised {
  /** Settles when it has ended and its directory is gone; with what it wrote last if it was not told to end. */
  readonly ended: Promise<string>;
  /** Lets go of it. It ends unless somebody else holds it. */
  release(): void;
  /** Keeps this process alive until it has ended; until now it did not. */
  waitForEnd(): Promise<string>;
}

/** Starts the server. It runs as long as this process does not let go of it. */
export async function supervise(options: SuperviseOptions): Promise<Supervised> {
  const { directory, command, identity, shared } = options;
  const lifeline = shared ? await makeLifeline(join(directory, LIFELINE), identity) : null;
  const child = spawn("/bin/sh", ["-c", SUPERVISE, "sh", directory, ...command], {
    ...identity,
    cwd: "/",
    env: serverEnvironment(),
    // Not in the group of the terminal: Ctrl+C is for us, and we may still need the server to end well.
    detached: true,
    stdio: [lifeline?.read ?? "pipe", "pipe", "ignore"],
  });
  if (lifeline !== null) closeSync(lifeline.read);
  const release = lifeline === null ? () => void child.stdin?.end() : once(() => closeSync(lifeline.write));
  const ended = endOf(child, release);
  const waitForEnd = (): Promise<string> => {
    child.ref();
    return ended;
  };
  return { ended, release, waitForEnd };
}

interface Lifeline {
  readonly read: number;
  readonly write: number;
}

/** A pipe with a name. To be opened without waiting for each other it first needs a descriptor that does both. */
async function makeLifeline(path: string, { uid, gid }: Identity): Promise<Lifeline> {
  await run("mkfifo", ["-m", "600", path]);
  if (uid !== undefined) await chown(path, uid, gid ?? uid);
  const both = openSync(path, constants.O_RDWR);
  const lifeline = { read: openSync(path, constants.O_RDONLY), write: openSync(path, constants.O_WRONLY) };
  closeSync(both);
  return lifeline;
}

function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) action();
    isDone = true;
  };
}

/** The end of the child, which does not keep this process alive. */
function endOf(child: ChildProcess, release: () => void): Promise<string> {
  child.unref();
  for (const stream of [child.stdin, child.stdout]) {
    stream?.on("error", () => {});
    if (stream !== null && "unref" in stream && typeof stream.unref === "function") stream.unref();
  }
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-4_000);
    });
    child.on("error", (error) => {
      release();
      reject(error);
    });
    child.on("close", () => {
      release();
      resolve(output);
    });
  });
}

/** Nothing of what a program may have in its environment is the business of a server: neither secrets nor PG variables. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const kept = ["PATH", "TZ", "TMPDIR", "TEMP", "TMP", "SystemRoot", "SystemDrive", "windir"];
  const found = kept.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(found), LC_ALL: "C" };
}
