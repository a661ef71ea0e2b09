// Who holds a server whose data are kept: several processes may. It ends with the last one.

import { randomUUID } from "node:crypto";
import { closeSync, constants, existsSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { passwordOf, type Postmaster, readPostmaster } from "./embedded-data.ts";
import { embeddedError } from "./embedded-errors.ts";
import { dsnOf, type Running, tcpDsnOf } from "./embedded-running.ts";
import { ANSWER, LIFELINE } from "./embedded-supervisor.ts";
import { commandOf, exists } from "./process-identity.ts";

const POLL_MS = 5;
const WATCH_MS = 1_000;
const ANSWER_MS = 2_000;
const READY_MS = 30_000;
const END_MS = 10_000;

/** One of those who hold a server. */
export interface Hold {
  release(): void;
}

/** Takes hold of the server of a private directory; null if it is about to end, or has. */
export async function hold(directory: string): Promise<Hold | null> {
  let lifeline: number;
  try {
    // Without waiting for a reader: if there is none, the server has nobody who could end it with us.
    lifeline = openSync(join(directory, LIFELINE), constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  const name = randomUUID();
  const answer = join(directory, `${ANSWER}${name}`);
  const release = (): void => {
    rmSync(answer, { force: true });
    closeSync(lifeline);
  };
  try {
    writeSync(lifeline, `${name}\n`);
    // Only an answer says that what we wrote was read before the end of the lifeline.
    for (let waited = 0; waited < ANSWER_MS; waited += POLL_MS) {
      if (existsSync(answer)) return { release };
      await pause(POLL_MS);
    }
  } catch {
    // The reader has just gone.
  }
  release();
  return null;
}

/** Whether anybody still says that they hold it. */
export async function isHeld(directory: string): Promise<boolean> {
  const names = await readdir(directory).catch(() => []);
  return names.some((name) => name.startsWith(ANSWER));
}

/**
 * Joins those who hold the server of a data directory; null if there is none.
 *
 * @throws {@link PostgresError} `MW_ERR_PG_EMBEDDED` if it is a server of somebody else
 */
export async function joinServer(dataDir: string): Promise<Running | null> {
  const master = readPostmaster(dataDir);
  if (master === null || !isAlive(master, dataDir)) return null;
  const { pid, port, socketDirectory: directory } = master;
  if (!existsSync(join(directory, LIFELINE))) {
    throw embeddedError(`process ${pid} serves "${dataDir}" already; connect to that server, or stop it`);
  }
  const held = await hold(directory);
  if (held === null || !(await becomesReady(dataDir, held))) return null;
  const isGone = (): boolean => !existsSync(directory);
  let isReleased = false;
  const release = async (): Promise<void> => {
    isReleased = true;
    held.release();
    if (!(await isHeld(directory))) await until(isGone, { everyMs: POLL_MS, timeoutMs: END_MS, ref: true });
  };
  return {
    dsn: dsnOf(directory, port),
    tcpDsn: master.hasTcp ? tcpDsnOf(port, passwordOf(dataDir)) : undefined,
    dataDir,
    majorVersion: Number(readFileSync(join(dataDir, "PG_VERSION"), "utf8")),
    pid,
    isAlive: () => exists(pid),
    ended: until(() => isReleased || isGone(), { everyMs: WATCH_MS }),
    release,
  };
}

/** What the file says may be from before a crash, and the number somebody else's by now. */
function isAlive({ pid }: Postmaster, dataDir: string): boolean {
  return exists(pid) && (process.platform === "win32" || commandOf(pid).includes(dataDir));
}

async function becomesReady(dataDir: string, held: Hold): Promise<boolean> {
  for (let waited = 0; waited < READY_MS; waited += POLL_MS) {
    const master = readPostmaster(dataDir);
    if (master === null) break;
    if (master.isReady) return true;
    await pause(POLL_MS);
  }
  held.release();
  return false;
}

interface Pace {
  readonly everyMs: number;
  readonly timeoutMs?: number;
  /** Whether it keeps the process alive. */
  readonly ref?: boolean;
}

/** Waits until something is so. The system does not tell, so that one has to look. */
async function until(isSo: () => boolean, { everyMs, timeoutMs = Infinity, ref = false }: Pace): Promise<void> {
  for (let waited = 0; !isSo() && waited < timeoutMs; waited += everyMs) await pause(everyMs, null, { ref });
}
