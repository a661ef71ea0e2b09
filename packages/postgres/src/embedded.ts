// A PostgreSQL of one's own: nothing to install and nothing to configure. Started by who asks first, shared by all who ask
// for the same, ended when the last one has given it back, or when the program ends, however it does.

import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

import { cancellable, shield } from "meanwhile";
import { captureContext } from "meanwhile/lowlevel";

import { badOption } from "./embedded-errors.ts";
import type { LaunchOptions } from "./embedded-launch.ts";
import type { Running } from "./embedded-running.ts";
import { checkNames, EMBEDDED_NAMES } from "./option-names.ts";

/** How a server of one's own is to be. */
export interface EmbeddedOptions {
  /**
   * Where the data are kept for the next time. Made if it is not there; several programs may use the server at once.
   * Default: a private directory that is removed with the server.
   */
  readonly dataDir?: string | undefined;
  /** The folder with `initdb` and `postgres`. Default: those of the optional package for the platform, else of `PATH`. */
  readonly binDir?: string | undefined;
  /** Settings as in `postgresql.conf`, but where the server and its data are. Of several who share a server those of the first count. */
  readonly settings?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** Whether it can also be reached over 127.0.0.1, with a password. Default: `false`; on Windows `true`. */
  readonly tcp?: boolean | undefined;
  /** For making it ready, in milliseconds, initdb not counted. Default: 30 000. */
  readonly startTimeoutMs?: number | undefined;
}

/** A running server, with the superuser `postgres` and the database `postgres`. */
export interface EmbeddedServer extends AsyncDisposable {
  /** What `createPool` and other programs of this user connect to. */
  readonly dsn: string;
  /** The same over 127.0.0.1, with a password; undefined unless `tcp` was asked for. */
  readonly tcpDsn: string | undefined;
  /** Where its data are. */
  readonly dataDir: string;
  /** Like 18. */
  readonly majorVersion: number;
  /** The process id of the server. */
  readonly pid: number;
  /**
   * Gives it back. The last one ends it: sessions are ended, and data that nobody keeps are removed.
   *
   * Cancellation: safe. It goes on until the server has ended.
   */
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL server of one's own: on a Unix socket in a private directory, as an unprivileged user when root
 * runs the program. It ends when the program does, also when that is killed.
 *
 * Without `dataDir` each call starts a new server.
 *
 * Cancellation: safe. A start that is cancelled leaves nothing behind.
 *
 * @throws {@link PostgresError} `MW_ERR_PG_EMBEDDED` if there are no programs for the platform, the data directory cannot be
 * used, or the server does not start
 * @throws {@link PostgresError} `MW_ERR_PG_INVALID_ARGUMENT` if an option is wrong
 * @see {@link https://www.postgresql.org/docs/current/app-initdb.html}
 *
 * @example
 * ```ts
 * import { createPool, startEmbedded } from "@meanwhile/postgres";
 *
 * await using server = await startEmbedded();
 * await using pool = createPool(server.dsn);
 * console.log(await pool.fetchValue("select 6 * 7")); //> 42
 * ```
 */
export async function startEmbedded(options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  checkNames("options", options, EMBEDDED_NAMES);
  const settled = settle(options);
  const key = settled.dataDir === null ? Symbol("server") : settled.dataDir;
  return borrow(key, settled);
}

/** @internal The server of all pools of this process that ask for the same. To be stopped by each of them. */
export async function sharedEmbedded(options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const settled = settle(options);
  return borrow(settled.dataDir ?? JSON.stringify(settled), settled);
}

function settle(options: EmbeddedOptions): LaunchOptions {
  const { dataDir, binDir, settings = {}, tcp = process.platform === "win32", startTimeoutMs = 30_000 } = options;
  for (const [name, value] of Object.entries({ dataDir, binDir })) {
    if (value !== undefined && (typeof value !== "string" || value === ""))
      throw badOption(name, value, "the path of a folder");
  }
  if (typeof tcp !== "boolean") throw badOption("tcp", tcp, "true or false");
  if (!(startTimeoutMs > 0)) throw badOption("startTimeoutMs", startTimeoutMs, "milliseconds > 0");
  if (typeof settings !== "object" || settings === null) throw badOption("settings", settings, "an object");
  return {
    dataDir: dataDir === undefined ? null : realPathOf(resolve(dataDir)),
    binDir: binDir === undefined ? undefined : resolve(binDir),
    settings: Object.fromEntries(Object.entries(settings).map(setting)),
    tcp,
    startTimeoutMs,
  };
}

/** By one name, whichever leads to it: of two servers for the same data one would end at once. What is not there yet has its own. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPathOf(parent), basename(path));
  }
}

/** Where the server is, and where its data are, is what everybody must be told who is to reach it. */
const OURS = ["port", "unix_socket_directories", "data_directory"];

function setting([name, value]: [string, string | number | boolean]): [string, string] {
  if (!/^[A-Za-z_][\w.]*$/.test(name)) throw badOption("settings", name, "names like shared_buffers");
  if (OURS.includes(name.toLowerCase())) {
    throw badOption(
      "settings",
      name,
      "others: it is chosen for you, and 'dsn' has it; for TCP pass 'tcp', for data 'dataDir'",
    );
  }
  return [name, String(value)];
}

// Invariant: `uses` counts who waits for it or has it; the one that takes it to 0 takes it out of the map and ends it.
interface Shared {
  uses: number;
  running: Running | null;
  readonly starting: Promise<Running>;
  readonly giveUp: AbortController;
}

const servers = new Map<string | symbol, Shared>();
// A server outlives the task that started it, and must not keep its scope.
const inContext = captureContext();

async function borrow(key: string | symbol, options: LaunchOptions): Promise<EmbeddedServer> {
  const known = servers.get(key);
  const shared = known === undefined || known.running?.isAlive() === false ? begin(key, options) : known;
  shared.uses += 1;
  try {
    return handleOf(key, shared, await cancellable(shared.starting));
  } catch (error) {
    await giveBack(key, shared);
    throw error;
  }
}

function begin(key: string | symbol, options: LaunchOptions): Shared {
  const giveUp = new AbortController();
  const starting = inContext(async () => {
    const { launch } = await import("./embedded-launch.ts");
    return launch(options, giveUp.signal);
  });
  const shared: Shared = { uses: 0, running: null, starting, giveUp };
  const forget = (): void => {
    if (servers.get(key) === shared) servers.delete(key);
  };
  // Whoever asks after its end, or after a start that failed, gets a new one.
  starting
    .then((running) => {
      shared.running = running;
      return running.ended;
    })
    .then(forget, forget);
  servers.set(key, shared);
  return shared;
}

async function giveBack(key: string | symbol, shared: Shared): Promise<void> {
  shared.uses -= 1;
  if (shared.uses > 0) return;
  if (servers.get(key) === shared) servers.delete(key);
  shared.giveUp.abort();
  const end = shared.starting.then(
    (running) => running.release(),
    () => {},
  );
  await shield(() => cancellable(end));
}

function handleOf(key: string | symbol, shared: Shared, running: Running): EmbeddedServer {
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopping ??= giveBack(key, shared));
  const { dsn, tcpDsn, dataDir, majorVersion, pid } = running;
  return { dsn, tcpDsn, dataDir, majorVersion, pid, stop, [Symbol.asyncDispose]: stop };
}
