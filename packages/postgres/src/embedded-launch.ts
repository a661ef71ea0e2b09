// Starts a server, or finds the one that serves a data directory already. Knows nothing of scopes: see embedded.ts.

import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { type Binaries, findBinaries } from "./embedded-binaries.ts";
import { prepareData, readPostmaster } from "./embedded-data.ts";
import { createDirectory, PORT, removeDirectory, sweep } from "./embedded-directory.ts";
import { embeddedError } from "./embedded-errors.ts";
import { hold, type Hold, isHeld, joinServer } from "./embedded-holders.ts";
import { type Identity, identityFor } from "./embedded-identity.ts";
import { EXE } from "./embedded-package.ts";
import { dsnOf, type Running, tcpDsnOf } from "./embedded-running.ts";
import { supervise, type Supervised } from "./embedded-supervisor.ts";
import { exists } from "./process-identity.ts";

/** What a server is started with. */
export interface LaunchOptions {
  /** Where the data are kept; null for data that are thrown away. */
  readonly dataDir: string | null;
  readonly binDir: string | undefined;
  readonly settings: Readonly<Record<string, string>>;
  /** Whether it can be reached over 127.0.0.1 as well. */
  readonly tcp: boolean;
  readonly startTimeoutMs: number;
}

/** For data that nobody keeps, nothing needs to be safe on the disk. */
const THROWN_AWAY = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };
/** What a statement says of its mistakes is told to its client; the log is for those of the server. */
const ALWAYS = { log_min_messages: "fatal", log_min_error_statement: "panic" };
const POLL_MS = 5;

/** Starts a server, or joins the one that serves the data directory. The signal ends a start that nobody waits for. */
export async function launch(options: LaunchOptions, signal: AbortSignal): Promise<Running> {
  const { dataDir } = options;
  const found = dataDir === null ? null : await joinServer(dataDir);
  if (found !== null) return found;
  try {
    return await launchOwn(options, signal);
  } catch (error) {
    // Another process may have started one at the same moment: of two only one comes up.
    const other = dataDir === null || signal.aborted ? null : await joinServer(dataDir);
    if (other === null) throw error;
    return other;
  }
}

async function launchOwn(options: LaunchOptions, signal: AbortSignal): Promise<Running> {
  const identity = identityFor(options.dataDir);
  const directory = await createDirectory(identity);
  const sweeping = sweep(identity);
  try {
    const binaries = await findBinaries(options.binDir, identity, directory);
    const dataDir = options.dataDir ?? join(directory, "data");
    const password = await prepareData(dataDir, { binaries, identity, directory, signal });
    await sweeping; // one that was left may still serve the same data
    return await serve(options, { binaries, identity, directory, dataDir, password, signal });
  } catch (error) {
    await sweeping;
    await removeDirectory(directory);
    throw error;
  }
}

interface Prepared {
  readonly binaries: Binaries;
  readonly identity: Identity;
  readonly directory: string;
  readonly dataDir: string;
  readonly password: string | null;
  readonly signal: AbortSignal;
}

async function serve(options: LaunchOptions, prepared: Prepared): Promise<Running> {
  const { binaries, identity, directory, dataDir, password, signal } = prepared;
  const port = options.tcp ? await freePort() : PORT;
  const settings = {
    port: String(port),
    listen_addresses: options.tcp ? "127.0.0.1" : "",
    unix_socket_directories: directory,
    ...ALWAYS,
    ...(options.dataDir === null ? THROWN_AWAY : {}),
    ...options.settings,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const command = [join(binaries.binDir, `postgres${EXE}`), "-D", dataDir, ...args] as const;
  const shared = options.dataDir !== null;
  const supervised = await supervise({ directory, command: [...command], identity, shared });
  try {
    const pid = await untilReady(supervised, prepared, options.startTimeoutMs);
    const held = shared ? await hold(directory) : null;
    const { majorVersion } = binaries;
    const tcpDsn = options.tcp ? tcpDsnOf(port, password) : undefined;
    const release = (): Promise<void> => releaseOwn(supervised, directory, held);
    const { ended } = supervised;
    const isAlive = (): boolean => exists(pid);
    return { dsn: dsnOf(directory, port), tcpDsn, dataDir, majorVersion, pid, isAlive, ended, release };
  } catch (error) {
    supervised.release();
    await supervised.waitForEnd().catch(() => {});
    throw signal.aborted ? signal.reason : error;
  }
}

async function releaseOwn(supervised: Supervised, directory: string, held: Hold | null): Promise<void> {
  held?.release();
  supervised.release();
  if (held === null || !(await isHeld(directory))) await supervised.waitForEnd();
}

/** Returns the process id of the server once it lets clients in. */
async function untilReady(supervised: Supervised, prepared: Prepared, timeoutMs: number): Promise<number> {
  const { dataDir, directory, signal } = prepared;
  const ended = supervised.ended.then(
    (output) => ({ output }),
    (error: unknown) => ({ output: String(error) }),
  );
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const master = readPostmaster(dataDir);
    if (master?.isReady === true && master.socketDirectory === directory) return master.pid;
    const end = await Promise.race([ended, pause(POLL_MS, null)]);
    if (end !== null) throw embeddedError(`the server ends at once:\n${end.output.trim()}`);
    if (performance.now() > giveUpAt) {
      throw embeddedError(`the server is not ready after ${timeoutMs} ms; pass a larger 'startTimeoutMs'`);
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
